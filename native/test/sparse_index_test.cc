#include <atomic>
#include <cmath>

#include "check.h"
#include "cpu.h"
#include "damage.h"
#include "failure.h"
#include "index_build.h"
#include "sparse_scan.h"
#include "vector_index.h"

using namespace mishards;

namespace {

constexpr uint32_t kRows = 5000;

/** Rows in compressed form, owned. */
struct Corpus {
  std::vector<uint32_t> offsets{0};
  std::vector<uint32_t> indices;
  std::vector<float> values;

  Corpus(uint32_t rowCount, uint32_t countMax, uint64_t& state) {
    for (uint32_t row = 0; row < rowCount; row++) {
      uint32_t dimension = 0;
      for (uint64_t count = mix64(state++) % (countMax + 1); count > 0; count--) {
        dimension += 1 + static_cast<uint32_t>(mix64(state++) % (1 + dimension));
        if (dimension > 100000) break;
        indices.push_back(dimension);
        values.push_back(static_cast<float>(1 + mix64(state++) % 6));
      }
      offsets.push_back(static_cast<uint32_t>(indices.size()));
    }
  }
  SparseRows rows() const {
    return {static_cast<uint32_t>(offsets.size() - 1), offsets.data(), indices.data(), values.data(), nullptr};
  }
};

const IndexPlan kPlans[] = {
    {"SPARSE_INVERTED_INDEX", Metric::kBm25, {{"inverted_index_algo", 0}}, 1, ""},
    {"SPARSE_INVERTED_INDEX", Metric::kInnerProduct, {{"inverted_index_algo", 2}}, 1, ""},
    {"SPARSE_WAND", Metric::kBm25, {}, 1, ""},
};

struct BuiltIndex {
  std::string vectorsPath = scratchPath("sparse-vectors");
  std::string indexPath = scratchPath("sparse-index");
  std::shared_ptr<VectorFile> vectors;

  BuiltIndex(const Corpus& corpus, const IndexPlan& asked) {
    VectorFile::write(vectorsPath, corpus.rows());
    vectors = VectorFile::open(vectorsPath);
    IndexPlan plan = asked;
    plan.path = indexPath;
    const auto build = startBuild(plan, *availableSimd().front(), vectors);
    const std::atomic<bool> stopped{false};
    for (BuildPhase phase{}; build->nextPhase(&phase);) build->run(0, stopped);
  }
};

TopK searched(const VectorIndex& index, const SparseRow& query, size_t k) {
  const std::atomic<bool> stopped{false};
  IndexRequest request{availableSimd().front(), 0, static_cast<uint32_t>(k), {}, {}, {}, {1.2, 0.75, 8}};
  request.filter.rowCount = index.rows().rowCount;
  request.filter.allowedCount = index.rows().rowCount;
  TopK result(k);
  index.search(request, {nullptr, nullptr, query}, result, stopped);
  result.sort();
  return result;
}

}  // namespace

CHECK_CASE(sparseIndexes, "sparse indexes of every algorithm find what the scan finds") {
  uint64_t state = checkSeed;
  const std::atomic<bool> stopped{false};
  const Corpus corpus(kRows, 12, state);
  const Corpus queries(40, 8, state);
  for (const IndexPlan& plan : kPlans) {
    const BuiltIndex built(corpus, plan);
    const auto index = openIndex(built.indexPath, built.vectors);
    for (uint32_t query = 0; query < 40; query++) {
      const SparseScorer score(plan.metric, {1.2, 0.75, 8}, queries.rows().row(query));
      TopK truth(10);
      RowFilter all;
      all.rowCount = kRows;
      scanSparse({built.vectors->sparseRows(), 0, kRows, all, {}, 0}, score, truth, stopped);
      truth.sort();
      const TopK found = searched(*index, queries.rows().row(query), 10);
      EXPECT(found.hits().size() == truth.hits().size());
      for (size_t i = 0; i < truth.hits().size(); i++) {
        EXPECT(std::fabs(found.hits()[i].score - truth.hits()[i].score) <= 1e-6f * truth.hits()[i].score);
      }
    }
  }
}

CHECK_CASE(hostileSparse, "sparse files with any damage, signed or not, are refused or harmless") {
  uint64_t state = mix64(checkSeed);
  const Corpus corpus(150, 12, state);
  const Corpus queries(2, 8, state);
  const std::string path = scratchPath("hostile-sparse");
  for (const IndexPlan& plan : kPlans) {
    const BuiltIndex built(corpus, plan);
    const Bytes good = readFile(built.indexPath);
    const Bytes goodVectors = readFile(built.vectorsPath);
    for (int round = 0; round < 1500; round++) {
      const bool isIndex = round % 3 != 0;
      Bytes bytes = isIndex ? good : goodVectors;
      damage(bytes, state);
      writeFile(path, bytes);
      try {
        if (isIndex) {
          searched(*openIndex(path, built.vectors), queries.rows().row(round % 2), 5);
        } else {
          const auto file = VectorFile::open(path);
          const SparseScorer score(plan.metric, {1.2, 0.75, 8}, queries.rows().row(round % 2));
          for (uint32_t row = 0; row < file->sparseRows().rowCount; row++) score(file->sparseRows().row(row));
        }
      } catch (const Failure& failure) {
        EXPECT(failure.code() == Code::kCorruptData);
      }
    }
  }
}
