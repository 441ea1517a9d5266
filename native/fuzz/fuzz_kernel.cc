#include "fuzz_kernel.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>

#include "cpu.h"
#include "random.h"

using namespace mishards;

namespace fuzz {

const std::vector<IndexPlan>& smallPlans() {
  static const std::vector<IndexPlan> plans{
      {"HNSW", Metric::kL2, {{"M", 3}, {"efConstruction", 20}}, 1, ""},
      {"HNSW_SQ", Metric::kL2, {{"M", 3}, {"efConstruction", 20}, {"sq_type", 0}, {"refine", 1}}, 1, ""},
      {"HNSW_PQ", Metric::kL2, {{"M", 3}, {"efConstruction", 20}, {"refine", 0}}, 1, ""},
      {"HNSW_PRQ", Metric::kL2, {{"M", 3}, {"efConstruction", 20}, {"refine", 1}}, 1, ""},
      {"IVF_FLAT", Metric::kL2, {{"nlist", 5}}, 1, ""},
      {"IVF_SQ8", Metric::kL2, {{"nlist", 5}}, 1, ""},
      {"IVF_PQ", Metric::kL2, {{"nlist", 5}, {"m", 0}, {"nbits", 8}}, 1, ""},
      {"IVF_PQ", Metric::kL2, {{"nlist", 5}, {"m", 0}, {"nbits", 4}}, 1, ""},
      {"IVF_RABITQ", Metric::kL2, {{"nlist", 5}, {"refine", 1}}, 1, ""},
      {"SCANN", Metric::kL2, {{"nlist", 5}}, 1, ""},
      {"DISKANN", Metric::kL2, {{"max_degree", 6}, {"search_list_size", 20}, {"pq_code_budget_gb_ratio", 0.125}}, 1, ""},
      {"BIN_IVF_FLAT", Metric::kHamming, {{"nlist", 5}}, 1, ""},
      {"SPARSE_INVERTED_INDEX", Metric::kInnerProduct, {{"inverted_index_algo", 0}}, 1, ""},
      {"SPARSE_INVERTED_INDEX", Metric::kInnerProduct, {{"inverted_index_algo", 1}}, 1, ""},
      {"SPARSE_INVERTED_INDEX", Metric::kInnerProduct, {{"inverted_index_algo", 2}}, 1, ""},
      {"SPARSE_WAND", Metric::kInnerProduct, {}, 1, ""},
  };
  return plans;
}

std::vector<VectorFormat> formatsOf(const std::string& type) {
  if (type == "BIN_IVF_FLAT") return {VectorFormat::kBinary};
  if (type.starts_with("SPARSE_")) return {VectorFormat::kSparse};
  return {VectorFormat::kFloat32, VectorFormat::kFloat16, VectorFormat::kBfloat16, VectorFormat::kInt8};
}

std::vector<Metric> metricsOf(const std::string& type) {
  if (type == "BIN_IVF_FLAT") return {Metric::kHamming, Metric::kJaccard};
  if (type.starts_with("SPARSE_")) return {Metric::kInnerProduct, Metric::kBm25};
  return {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
}

SparseCorpus someSparseRows(uint32_t rowCount, uint64_t seed) {
  SparseCorpus corpus;
  uint64_t state = seed;
  for (uint32_t row = 0; row < rowCount; row++) {
    uint32_t dimension = 0;
    for (uint64_t left = mix64(state++) % 7; left > 0; left--) {
      dimension += 1 + static_cast<uint32_t>(mix64(state++) % 4);
      corpus.indices.push_back(dimension);
      corpus.values.push_back(static_cast<float>(0.25 + unitInterval(mix64(state++))));
    }
    corpus.offsets.push_back(static_cast<uint32_t>(corpus.indices.size()));
  }
  return corpus;
}

std::shared_ptr<VectorFile> writeSome(const std::string& path, VectorFormat format, uint32_t dim, uint32_t rowCount,
                                      uint64_t seed) {
  if (format == VectorFormat::kSparse) {
    VectorFile::write(path, someSparseRows(rowCount, seed).rows());
    return VectorFile::open(path);
  }
  const Bytes rows = someRows(format, dim, rowCount, seed);
  return writeVectors(path, {rows.data(), rowCount, dim, format});
}

Queries someQueries(VectorFormat format, uint32_t dim, uint32_t count, uint64_t seed) {
  if (format == VectorFormat::kSparse) {
    const SparseCorpus corpus = someSparseRows(count, seed);
    return {corpus.offsets.data(), corpus.indices.data(), corpus.values.data(), count};
  }
  const Bytes rows = someRows(format, dim, count, seed);
  return {format, dim, rows.data(), count};
}

RowScorer::RowScorer(const Simd& simd, Metric metric, const VectorFile& vectors, const QueryVector& query)
    : vectors_(vectors) {
  if (vectors.rows().format != VectorFormat::kSparse) {
    dense_.emplace(simd, metric, vectors.rows(), query);
    return;
  }
  const SparseRow& row = query.sparse;
  std::vector<float> sizes(row.values, row.values + row.count);
  for (float& value : sizes) value = std::fabs(value);
  sparse_.emplace(metric, kBm25, row);
  sizes_.emplace(metric, kBm25, SparseRow{row.indices, sizes.data(), row.count});
}

float RowScorer::operator()(uint32_t row) const {
  return dense_ ? (*dense_)(vectors_.rows().at(row)) : (*sparse_)(vectors_.sparseRows().row(row));
}

bool RowScorer::agrees(uint32_t row, float score) const {
  const float truth = (*this)(row);
  if (dense_ || score == truth) return score == truth;
  const SparseRow other = vectors_.sparseRows().row(row);
  std::vector<float> sizes(other.values, other.values + other.count);
  for (float& value : sizes) value = std::fabs(value);
  return std::fabs(double{score} - truth) <= 1e-6 * (*sizes_)({other.indices, sizes.data(), other.count});
}

std::shared_ptr<VectorFile> writeVectors(const std::string& path, const VectorRows& rows) {
  VectorFile::write(path, rows);
  return VectorFile::open(path);
}

void buildIndex(const IndexPlan& plan, std::shared_ptr<VectorFile> vectors) {
  const auto build = startBuild(plan, *availableSimd().front(), std::move(vectors));
  const std::atomic<bool> stopped{false};
  for (BuildPhase phase{}; build->nextPhase(&phase);) {
    for (uint32_t slice = 0; slice < phase.slices; slice++) build->run(slice, stopped);
  }
}

void checkHits(const std::vector<Hit>& hits, uint32_t k, const ScoreBounds& bounds) {
  FUZZ_EXPECT(hits.size() <= k);
  std::set<std::pair<uint32_t, uint32_t>> seen;
  for (size_t i = 0; i < hits.size(); i++) {
    FUZZ_EXPECT(bounds.keep(hits[i].score));
    FUZZ_EXPECT(i == 0 || betterHit(hits[i - 1], hits[i]));
    FUZZ_EXPECT(seen.emplace(hits[i].source, hits[i].row).second);
  }
}

void checkSearch(const VectorIndex& index, const VectorFile& vectors, const SearchSpec& spec, const QueryVector& query,
                 bool isTrusted) {
  const std::atomic<bool> stopped{false};
  const std::string type = index.type();
  const bool ranksRows = isTrusted || (type != "IVF_FLAT" && !type.starts_with("SPARSE_"));
  for (const Simd* simd : availableSimd()) {
    const SearchParams params{.ef = spec.effort,
                              .nprobe = spec.effort / 10 + 1,
                              .dropRatio = spec.effort % 3 / 4.0,
                              .refineK = 1 + static_cast<float>(spec.effort % 4),
                              .reorderK = spec.effort % 7,
                              .queryBits = spec.effort % 9,
                              .searchList = spec.effort,
                              .beamWidth = spec.effort % 5 + 1};
    const IndexRequest request{simd, 0, spec.k, params, spec.filter, spec.bounds, kBm25};
    TopK result(spec.k);
    index.search(request, query, result, stopped);
    result.sort();
    checkHits(result.hits(), spec.k, spec.bounds);
    const RowScorer score(*simd, index.metric(), vectors, query);
    for (const Hit& hit : result.hits()) {
      FUZZ_EXPECT(hit.row < vectors.rows().rowCount && spec.filter.allows(hit.row));
      FUZZ_EXPECT(!ranksRows || score.agrees(hit.row, hit.score));
    }
  }
}

std::vector<float> someValues(size_t count, uint64_t seed) {
  std::vector<float> values(count);
  uint64_t state = seed;
  for (float& value : values) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5);
  return values;
}

Bytes someRows(VectorFormat format, uint32_t dim, uint32_t rowCount, uint64_t seed) {
  Bytes bytes(rowBytesOf(format, dim) * rowCount);
  const std::vector<float> values = someValues(size_t{dim} * rowCount, seed);
  if (format == VectorFormat::kFloat32) {
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  const bool isWide = format == VectorFormat::kFloat16 || format == VectorFormat::kBfloat16;
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(128 + values[i % values.size()] * 255);
  // Sixteen-bit numbers of about 1: the upper byte holds sign and exponent.
  const uint8_t exponent = format == VectorFormat::kFloat16 ? 0x38 : 0x3f;
  for (size_t i = 1; isWide && i < bytes.size(); i += 2) bytes[i] = static_cast<uint8_t>((bytes[i] & 0x80) | exponent);
  return bytes;
}

}  // namespace fuzz
