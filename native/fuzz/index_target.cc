#include <limits>

#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"

using namespace mishards;

namespace fuzz {
namespace {

constexpr uint32_t kDim = 9;
constexpr uint32_t kRows = 60;
constexpr uint32_t kFileRows[] = {kRows, 1, 0};

/** The vectors that the indexes of the inputs may be built over. */
const std::vector<std::shared_ptr<VectorFile>>& vectorFiles() {
  static const std::vector<std::shared_ptr<VectorFile>> files = [] {
    std::vector<std::shared_ptr<VectorFile>> made;
    for (const uint32_t rows : kFileRows) {
      const std::string path = scratchFile("over-" + std::to_string(rows));
      const Bytes values = someRows(VectorFormat::kFloat32, kDim, rows, 7);
      made.push_back(writeVectors(path, {values.data(), rows, kDim}));
    }
    return made;
  }();
  return files;
}

void searchOpened(const VectorIndex& index) {
  const uint32_t rowCount = index.rows().rowCount;
  std::vector<float> query = someValues(kDim, 11);
  Bytes allowed((rowCount + 7) / 8, 0x6d);
  RowFilter everything{nullptr, rowCount, rowCount};
  RowFilter some{allowed.data(), rowCount, 0};
  some.allowedCount = some.countAllowed();
  ScoreBounds range;
  range.upTo = 0.1f;
  for (const uint32_t effort : {1u, 30u, 3000u}) {
    checkSearch(index, {10, effort, everything, {}}, {query.data(), nullptr}, false);
    checkSearch(index, {3, effort, some, {}}, {query.data(), nullptr}, false);
    checkSearch(index, {3, effort, everything, range}, {query.data(), nullptr}, false);
  }
  query[1] = std::numeric_limits<float>::infinity();
  checkSearch(index, {2, 10, everything, {}}, {query.data(), nullptr}, false);
}

/** Opens the input as an index and searches what opens. */
void run(const uint8_t* bytes, size_t size) {
  const std::string path = scratchFile("index");
  writeBytes(path, bytes, size);
  for (const auto& vectors : vectorFiles()) {
    try {
      searchOpened(*mishards::openIndex(path, vectors));
    } catch (const Failure& failure) {
      FUZZ_EXPECT(failure.code() == Code::kCorruptData);
    }
  }
}

void seeds(const AddSeed& add) {
  const std::string path = scratchFile("seed");
  for (const auto& vectors : vectorFiles()) {
    for (IndexPlan plan : smallPlans()) {
      plan.path = path;
      for (uint32_t metric = 0; metric < kMetricCount; metric++) {
        plan.metric = static_cast<Metric>(metric);
        buildIndex(plan, vectors);
        add(readBytes(path));
      }
    }
  }
}

}  // namespace

const Target kIndexTarget{"index", run, seeds, true};

}  // namespace fuzz
