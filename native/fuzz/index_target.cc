#include <algorithm>
#include <limits>

#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"

using namespace mishards;

namespace fuzz {
namespace {

// For binary rows too, and the same for all formats, so that an index may claim to be over rows of another one.
constexpr uint32_t kDim = 16;
// Enough for five lists.
constexpr uint32_t kRows = 200;
constexpr uint32_t kFileRows[] = {kRows, 1, 0};

/** The vectors that the indexes of the inputs may be built over: of each format, and of no and one row of those with indexes of their own. */
const std::vector<std::shared_ptr<VectorFile>>& vectorFiles() {
  static const std::vector<std::shared_ptr<VectorFile>> files = [] {
    std::vector<std::shared_ptr<VectorFile>> made;
    for (uint32_t index = 0; index < kFormats; index++) {
      const auto format = static_cast<VectorFormat>(index);
      for (const uint32_t rows : kFileRows) {
        const bool hasOwn = format == VectorFormat::kFloat32 || index + 2 >= kFormats;
        if (rows < kRows && !hasOwn) continue;
        made.push_back(writeSome(scratchFile("over-" + std::to_string(made.size())), format, kDim, rows, 7));
      }
    }
    return made;
  }();
  return files;
}

void searchOpened(const VectorIndex& index, const VectorFile& vectors) {
  const uint32_t rowCount = vectors.rows().rowCount;
  const VectorFormat format = vectors.rows().format;
  const Queries queries = someQueries(format, kDim, 3, 11);
  Bytes allowed((rowCount + 7) / 8, 0x6d);
  RowFilter everything{nullptr, rowCount, rowCount};
  RowFilter some{allowed.data(), rowCount, 0};
  some.allowedCount = some.countAllowed();
  ScoreBounds range;
  range.upTo = 0.1f;
  for (const uint32_t effort : {1u, 30u, 3000u}) {
    const QueryVector query = queries.at(effort % 3);
    checkSearch(index, vectors, {10, effort, everything, {}}, query, false);
    checkSearch(index, vectors, {3, effort, some, {}}, query, false);
    checkSearch(index, vectors, {3, effort, everything, range}, query, false);
  }
  if (format != VectorFormat::kFloat32) return;
  std::vector<float> infinite = someValues(kDim, 11);
  infinite[1] = std::numeric_limits<float>::infinity();
  checkSearch(index, vectors, {2, 10, everything, {}}, {infinite.data(), nullptr}, false);
}

/** Opens the input as an index and searches what opens. */
void run(const uint8_t* bytes, size_t size) {
  const std::string path = scratchFile("index");
  writeBytes(path, bytes, size);
  for (const auto& vectors : vectorFiles()) {
    try {
      searchOpened(*mishards::openIndex(path, vectors), *vectors);
    } catch (const Failure& failure) {
      FUZZ_EXPECT(failure.code() == Code::kCorruptData);
    }
  }
}

void seeds(const AddSeed& add) {
  const std::string path = scratchFile("seed");
  for (IndexPlan plan : smallPlans()) {
    plan.path = path;
    const std::vector<VectorFormat> formats = formatsOf(plan.type);
    for (const auto& vectors : vectorFiles()) {
      if (std::find(formats.begin(), formats.end(), vectors->rows().format) == formats.end()) continue;
      for (const Metric metric : metricsOf(plan.type)) {
        plan.metric = metric;
        buildIndex(plan, vectors);
        add(readBytes(path));
      }
    }
  }
}

}  // namespace

const Target kIndexTarget{"index", run, seeds, true};

}  // namespace fuzz
