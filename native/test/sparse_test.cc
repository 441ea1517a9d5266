#include <map>
#include <vector>

#include "check.h"
#include "random.h"
#include "sparse.h"

using namespace mishards;

namespace {

using Row = std::map<uint32_t, float>;

Row randomRow(size_t countMax, uint64_t& state) {
  Row row;
  const size_t count = mix64(state++) % (countMax + 1);
  for (size_t i = 0; i < count; i++) {
    // Few dimensions that meet often, and some anywhere.
    const uint64_t bits = mix64(state++);
    const auto dimension = static_cast<uint32_t>(bits % 3 == 0 ? (bits >> 8) % kNoDimension : (bits >> 8) % 50);
    row[dimension] = static_cast<float>(1 + mix64(state++) % 5);
  }
  return row;
}

struct Arrays {
  std::vector<uint32_t> indices;
  std::vector<float> values;

  explicit Arrays(const Row& row) {
    for (const auto& [dimension, value] : row) {
      indices.push_back(dimension);
      values.push_back(value);
    }
  }
  SparseRow view() const { return {indices.data(), values.data(), static_cast<uint32_t>(indices.size())}; }
};

double truthOf(Metric metric, const Bm25& bm25, const Row& query, const Row& row) {
  double length = 0;
  for (const auto& [dimension, value] : row) length += value;
  double score = 0;
  for (const auto& [dimension, weight] : query) {
    const auto found = row.find(dimension);
    if (found == row.end()) continue;
    const double damping = bm25.k1 * (1 - bm25.b + bm25.b * length / bm25.averageLength);
    const double value = found->second;
    score += weight * (metric == Metric::kBm25 ? value * (bm25.k1 + 1) / (value + damping) : value);
  }
  return score;
}

}  // namespace

CHECK_CASE(sparseScores, "sparse scores are those of the definition, whatever dimensions collide") {
  uint64_t state = checkSeed;
  for (int round = 0; round < 500; round++) {
    const Row query = randomRow(round % 40, state);
    const Bm25 bm25{1.2, 0.75, 9};
    for (const Metric metric : {Metric::kInnerProduct, Metric::kBm25}) {
      const SparseScorer score(metric, bm25, Arrays(query).view());
      for (int other = 0; other < 20; other++) {
        const Row row = other == 0 ? query : randomRow(30, state);
        const double truth = truthOf(metric, bm25, query, row);
        EXPECT(std::abs(score(Arrays(row).view()) - truth) <= 1e-6 * (1 + std::abs(truth)));
      }
    }
  }
}

CHECK_CASE(sparseStore, "sparse rows keep their place while more are appended") {
  uint64_t state = checkSeed;
  const uint32_t rowCount = 20000;
  SparseStore store(rowCount + 1);
  std::vector<Row> rows;
  std::vector<SparseRow> seen;
  const auto append = [&](const Row& row) {
    const Arrays arrays(row);
    const uint32_t offsets[] = {0, static_cast<uint32_t>(arrays.indices.size())};
    store.append({1, offsets, arrays.indices.data(), arrays.values.data(), nullptr});
    rows.push_back(row);
    seen.push_back(store.firstRows(static_cast<uint32_t>(rows.size())).row(rows.size() - 1));
  };
  for (uint32_t row = 0; row < rowCount; row++) append(randomRow(60, state));
  Row wide;
  for (uint32_t dimension = 0; dimension < 400000; dimension++) wide[dimension] = 1;
  append(wide);
  for (uint32_t row = 0; row <= rowCount; row++) {
    const SparseRow found = store.firstRows(rowCount + 1).row(row);
    EXPECT(found.indices == seen[row].indices && found.count == rows[row].size());
    uint32_t at = 0;
    for (const auto& [dimension, value] : rows[row]) {
      EXPECT(found.indices[at] == dimension && found.values[at] == value);
      at++;
    }
  }
}
