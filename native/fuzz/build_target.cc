#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"

using namespace mishards;

namespace fuzz {
namespace {

constexpr uint32_t kDimMax = 70;
constexpr uint32_t kRowsMax = 48;

IndexPlan takePlan(Input& input) {
  IndexPlan plan = smallPlans()[input.between(0, static_cast<uint32_t>(smallPlans().size()) - 1)];
  plan.metric = static_cast<Metric>(input.between(0, kMetricCount - 1));
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
  }
  plan.seed = input.take<uint64_t>();
  plan.path = scratchFile("index");
  return plan;
}

/** Builds an index over any numbers with any parameters; it must open, and answer for its own rows. */
void run(const uint8_t* bytes, size_t size) {
  Input input(bytes, size);
  const IndexPlan plan = takePlan(input);
  const uint32_t dim = input.between(1, kDimMax);
  const uint32_t rowCount = input.between(0, kRowsMax);
  // Bits of the input are numbers of any kind; where they end, the rows repeat.
  std::vector<float> values(size_t{dim} * rowCount);
  for (size_t i = 0; i < values.size(); i++) {
    values[i] = input.isEmpty() && i >= dim ? values[i - dim] : input.take<float>();
  }
  const auto vectors = writeVectors(scratchFile("vectors"), {values.data(), rowCount, dim});
  buildIndex(plan, vectors);
  const auto index = mishards::openIndex(plan.path, vectors);
  FUZZ_EXPECT(index->rows().rowCount == rowCount && index->metric() == plan.metric && index->type() == plan.type);
  const RowFilter everything{nullptr, rowCount, rowCount};
  for (uint32_t row = 0; row < rowCount; row += 7) {
    checkSearch(*index, {3, 10, everything, {}}, {vectors->rows().row(row), nullptr});
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
        put(bytes, uint32_t{40});
        for (const float value : someValues(size_t{dim} * 12, dim)) put(bytes, value);
        add(bytes);
      }
    }
  }
}

}  // namespace

const Target kBuildTarget{"build", run, seeds, false};

}  // namespace fuzz
