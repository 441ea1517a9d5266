#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "row_filter.h"
#include "simd/simd.h"
#include "source.h"
#include "top_k.h"

namespace mishards {

/** Queries of one exact scan, and a collector for each. */
struct FlatQueries {
  const QueryVector* queries;
  size_t queryCount;
  TopK* results;
};

/** Offers every allowed row of [begin, end) that is within `bounds` to every query. Returns early when `stopped`. */
void searchFlat(const Simd& simd, Metric metric, const VectorRows& rows, uint32_t begin, uint32_t end,
                const RowFilter& filter, const ScoreBounds& bounds, const FlatQueries& queries, uint32_t source,
                const std::atomic<bool>& stopped);

}  // namespace mishards
