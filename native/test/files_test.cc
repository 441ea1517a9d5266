#include <atomic>
#include <cmath>

#include "check.h"
#include "cpu.h"
#include "damage.h"
#include "failure.h"
#include "index_build.h"
#include "random.h"
#include "vector_index.h"

using namespace mishards;

namespace {

constexpr uint32_t kDim = 13;
constexpr uint32_t kRows = 200;

std::vector<float> someVectors() {
  std::vector<float> values(size_t{kRows} * kDim);
  uint64_t state = 7;
  for (float& value : values) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5);
  return values;
}

void searchAll(const VectorIndex& index, const QueryVector& query) {
  const std::atomic<bool> stopped{false};
  for (const Simd* simd : availableSimd()) {
    for (const uint32_t breadth : {10u, 100u, 2000u}) {
      IndexRequest request{simd, 0, 10, {.ef = breadth, .nprobe = breadth / 10, .searchList = breadth}, {}, {}};
      request.filter.rowCount = index.rows().rowCount;
      request.filter.allowedCount = index.rows().rowCount;
      TopK result(10);
      index.search(request, query, result, stopped);
      for (const Hit& hit : result.hits()) EXPECT(hit.row < index.rows().rowCount);
    }
  }
}

struct BuiltFiles {
  std::string vectorsPath = scratchPath("vectors");
  std::string indexPath = scratchPath("index");
  std::vector<float> values = someVectors();
  std::shared_ptr<VectorFile> vectors;

  explicit BuiltFiles(const IndexPlan& asked) {
    VectorFile::write(vectorsPath, {values.data(), kRows, kDim});
    vectors = VectorFile::open(vectorsPath);
    IndexPlan plan = asked;
    plan.path = indexPath;
    const auto build = startBuild(plan, *availableSimd().front(), vectors);
    const std::atomic<bool> stopped{false};
    for (BuildPhase phase{}; build->nextPhase(&phase);) {
      for (uint32_t slice = 0; slice < phase.slices; slice++) build->run(slice, stopped);
    }
  }
};

/** A small index of each type. */
const IndexPlan kPlans[] = {
    {"HNSW", Metric::kL2, {{"M", 4}, {"efConstruction", 30}}, 1, ""},
    {"HNSW_SQ", Metric::kL2, {{"M", 4}, {"efConstruction", 30}, {"sq_type", 0}, {"refine", 1}}, 1, ""},
    {"IVF_FLAT", Metric::kL2, {{"nlist", 5}}, 1, ""},
    {"IVF_SQ8", Metric::kL2, {{"nlist", 5}}, 1, ""},
    {"IVF_PQ", Metric::kL2, {{"nlist", 5}, {"m", 13}, {"nbits", 8}}, 1, ""},
    {"IVF_RABITQ", Metric::kL2, {{"nlist", 5}, {"refine", 1}}, 1, ""},
    {"SCANN", Metric::kL2, {{"nlist", 5}}, 1, ""},
    {"DISKANN", Metric::kL2, {{"max_degree", 8}, {"search_list_size", 30}, {"pq_code_budget_gb_ratio", 0.25}}, 1, ""},
};

void checkOwnRows(const IndexPlan& plan) {
  const BuiltFiles built(plan);
  const auto index = openIndex(built.indexPath, built.vectors);
  const std::atomic<bool> stopped{false};
  for (uint32_t row = 0; row < kRows; row++) {
    IndexRequest request{availableSimd().front(), 0, 1, {.ef = 50}, {}, {}};
    request.filter.rowCount = kRows;
    request.filter.allowedCount = kRows;
    TopK result(1);
    index->search(request, {built.vectors->rows().row(row), nullptr, {}}, result, stopped);
    EXPECT(result.hits().size() == 1 && result.hits()[0].row == row);
  }
}

void checkDamage(const IndexPlan& plan) {
  const BuiltFiles built(plan);
  const Bytes good = readFile(built.indexPath);
  const Bytes goodVectors = readFile(built.vectorsPath);
  const std::string path = scratchPath("hostile");
  uint64_t state = mix64(checkSeed);
  size_t opened = 0;
  for (int round = 0; round < 800; round++) {
    const bool isIndex = round % 4 != 0;
    Bytes bytes = isIndex ? good : goodVectors;
    damage(bytes, state);
    writeFile(path, bytes);
    try {
      if (isIndex) {
        searchAll(*openIndex(path, built.vectors), {built.values.data(), nullptr, {}});
      } else {
        VectorFile::open(path);
      }
      opened++;
    } catch (const Failure& failure) {
      EXPECT(failure.code() == Code::kCorruptData);
    }
  }
  EXPECT(opened > 0);
}

}  // namespace

CHECK_CASE(roundTrip, "an index of any type finds each of its own rows first") {
  for (const IndexPlan& plan : kPlans) checkOwnRows(plan);
}

CHECK_CASE(hostileFiles, "files with any damage, signed or not, are refused or harmless") {
  for (const IndexPlan& plan : kPlans) checkDamage(plan);
}
