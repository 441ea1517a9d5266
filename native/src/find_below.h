#pragma once

#include <atomic>
#include <cstddef>

#include "top_k.h"
#include "vector_index.h"

namespace mishards {

// Rows far from the query have larger errors of their codes; a page that passes over one never comes back to it.
constexpr float kSlackBelow = 2;
// A pool that better rows filled up is made so many times as large, once; after that the rows themselves are scored.
constexpr size_t kPoolGrowth = 8;

/**
 * The rows behind better ones, which no walk leads to. `scan` keeps the best estimates of all rows up to the bound, so many of
 * them; `rank` scores these and says whether no other can be among the k. False, and nothing offered, where the vectors have to be scanned:
 * many estimates lie near the bound, or fewer than k rows are left and the last ones must not be missed.
 */
template <typename Scan, typename Rank>
bool findBelow(const IndexRequest& request, size_t pool, const std::atomic<bool>& stopped, Scan scan, Rank rank, TopK& result) {
  for (int round = 0; round < 2 && pool < request.filter.allowedCount; round++, pool *= kPoolGrowth) {
    TopK found(request.k);
    scan(pool);
    const bool isWhole = rank(found);
    if (stopped.load(std::memory_order_relaxed)) return true;
    if (!isWhole) continue;
    if (found.hits().size() < request.k && !request.bounds.hasAbove) return false;
    for (const Hit& hit : found.hits()) result.offer(hit);
    return true;
  }
  return false;
}

}  // namespace mishards
