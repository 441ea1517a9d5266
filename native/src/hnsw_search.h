#pragma once

#include <atomic>
#include <cstdint>

#include "hnsw_index.h"
#include "row_filter.h"
#include "scratch.h"
#include "simd/simd.h"
#include "top_k.h"

namespace mishards {

/** What one search of one graph needs besides the query. */
struct HnswRequest {
  const Simd* simd;
  uint32_t source;
  uint32_t k;
  uint32_t ef;
  RowFilter filter;
  ScoreBounds bounds;
};

/**
 * Offers to `result` the best rows of `index` for `query`: about min(k, allowed) of them, with true scores. The graph is
 * walked on codes; what the walk keeps is scored again from the raw vectors. Filters that keep little are scanned instead.
 * Returns early when `stopped`.
 */
void searchHnsw(const HnswIndex& index, const HnswRequest& request, const float* query, TopK& result,
                const std::atomic<bool>& stopped);

}  // namespace mishards
