#include <cmath>

#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"

using namespace mishards;

namespace fuzz {
namespace {

constexpr uint32_t kDimMax = 70;
// Enough for three lists.
constexpr uint32_t kRowsMax = 130;

IndexPlan takePlan(Input& input) {
  IndexPlan plan = smallPlans()[input.between(0, static_cast<uint32_t>(smallPlans().size()) - 1)];
  const std::vector<Metric> metrics = metricsOf(plan.type);
  plan.metric = metrics[input.between(0, static_cast<uint32_t>(metrics.size()) - 1)];
  const bool isExtreme = input.take<uint8_t>() >= 240;
  for (auto& [name, value] : plan.params) {
    // Bounds as in `src/kernel/index-types.ts`.
    if (name == "M") value = input.between(2, isExtreme ? 2048 : 12);
    if (name == "efConstruction") value = input.between(1, isExtreme ? 0x7fffffff : 60);
    if (name == "sq_type") value = input.between(0, 4);
    if (name == "refine") value = input.between(0, 1);
    if (name == "nbits") value = input.between(1, 8);
    // Left to the build: it must divide a dimension that is drawn later.
    if (name == "m") value = input.between(0, 0);
    if (name == "nlist") value = input.between(1, isExtreme ? 65536 : 20);
    if (name == "max_degree") value = input.between(1, isExtreme ? 512 : 12);
    if (name == "search_list_size") value = input.between(1, isExtreme ? 0x7fffffff : 60);
    if (name == "pq_code_budget_gb_ratio") value = input.between(1, 1000) / 4000.0;
    if (name == "inverted_index_algo") value = input.between(0, 2);
  }
  plan.seed = input.take<uint64_t>();
  plan.path = scratchFile("index");
  return plan;
}

/** Values of a format that files take: any bits, but of sparse rows finite numbers above 0. */
SparseCorpus takeSparse(Input& input, uint32_t rowCount) {
  SparseCorpus corpus = someSparseRows(rowCount, input.take<uint64_t>());
  for (float& value : corpus.values) {
    if (input.isEmpty()) break;
    const float taken = std::fabs(input.take<float>());
    if (std::isfinite(taken)) value = taken;
  }
  return corpus;
}

std::shared_ptr<VectorFile> takeVectors(Input& input, const IndexPlan& plan) {
  const std::vector<VectorFormat> formats = formatsOf(plan.type);
  uint32_t dim = input.between(1, kDimMax);
  const uint32_t rowCount = input.between(0, kRowsMax);
  const VectorFormat format = formats[input.between(0, static_cast<uint32_t>(formats.size()) - 1)];
  const std::string path = scratchFile("vectors");
  if (format == VectorFormat::kSparse) {
    VectorFile::write(path, takeSparse(input, rowCount).rows());
    return VectorFile::open(path);
  }
  if (format == VectorFormat::kBinary) dim *= 8;
  // Bits of the input are numbers of any kind; where they end, the rows repeat.
  const size_t rowBytes = rowBytesOf(format, dim);
  Bytes values(rowBytes * rowCount);
  for (size_t i = 0; i < values.size(); i++) {
    values[i] = input.isEmpty() && i >= rowBytes ? values[i - rowBytes] : input.take<uint8_t>();
  }
  return writeVectors(path, {values.data(), rowCount, dim, format});
}

/** A row of the file as a query. */
Queries rowAsQuery(const VectorFile& vectors, uint32_t row) {
  const VectorRows& rows = vectors.rows();
  if (rows.format != VectorFormat::kSparse) return {rows.format, rows.dim, rows.at(row), 1};
  const SparseRow sparse = vectors.sparseRows().row(row);
  const uint32_t offsets[] = {0, sparse.count};
  return {offsets, sparse.indices, sparse.values, 1};
}

/** Builds an index over any numbers with any parameters; it must open, and answer for its own rows. */
void run(const uint8_t* bytes, size_t size) {
  Input input(bytes, size);
  const IndexPlan plan = takePlan(input);
  const auto vectors = takeVectors(input, plan);
  const uint32_t rowCount = vectors->rows().rowCount;
  buildIndex(plan, vectors);
  const auto index = mishards::openIndex(plan.path, vectors);
  FUZZ_EXPECT(index->rows().rowCount == rowCount && index->metric() == plan.metric && index->type() == plan.type);
  const RowFilter everything{nullptr, rowCount, rowCount};
  for (uint32_t row = 0; row < rowCount; row += 17) {
    const Queries query = rowAsQuery(*vectors, row);
    checkSearch(*index, *vectors, {3, 10, everything, {}}, query.at(0));
  }
}

template <typename T>
void put(Bytes& bytes, T value) {
  const auto* from = reinterpret_cast<const uint8_t*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

void seeds(const AddSeed& add) {
  for (uint32_t type = 0; type < smallPlans().size(); type++) {
    for (uint32_t metric = 0; metric < kMetricCount; metric++) {
      for (const uint32_t dim : {1u, 8u, 33u, kDimMax}) {
        Bytes bytes;
        put(bytes, type);
        put(bytes, metric);
        put(bytes, uint8_t{0});
        for (size_t i = 0; i < smallPlans()[type].params.size(); i++) put(bytes, uint32_t{5});
        put(bytes, uint64_t{metric + 1});
        put(bytes, dim - 1);
        put(bytes, uint32_t{125});
        put(bytes, metric);
        for (const float value : someValues(size_t{dim} * 12, dim)) put(bytes, value);
        add(bytes);
      }
    }
  }
}

}  // namespace

const Target kBuildTarget{"build", run, seeds, false};

}  // namespace fuzz
