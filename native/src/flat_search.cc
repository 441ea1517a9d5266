#include "flat_search.h"

#include <algorithm>

#include "exact_score.h"

namespace mishards {
namespace {

// Rows scored for one query before the next query's turn: they stay in the second-level cache meanwhile.
constexpr size_t kTileBytes = 128 << 10;

}  // namespace

void searchFlat(const Simd& simd, Metric metric, const VectorRows& rows, uint32_t begin, uint32_t end,
                const RowFilter& filter, const ScoreBounds& bounds, const FlatQueries& queries, uint32_t source,
                const std::atomic<bool>& stopped) {
  const size_t tileRows = std::max<size_t>(1, kTileBytes / rows.rowBytes());
  for (size_t tile = begin; tile < end; tile += tileRows) {
    const auto tileEnd = static_cast<uint32_t>(std::min<size_t>(end, tile + tileRows));
    for (size_t index = 0; index < queries.queryCount; index++) {
      if (stopped.load(std::memory_order_relaxed)) return;
      TopK& result = queries.results[index];
      const ExactScorer score(simd, metric, rows, queries.queries[index]);
      filter.forEach(static_cast<uint32_t>(tile), tileEnd, [&](uint32_t row) {
        const float value = score(rows.at(row));
        if (bounds.keep(value) && result.wants(value)) result.offer({value, source, row});
      });
    }
  }
}

}  // namespace mishards
