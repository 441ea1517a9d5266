#pragma once

#include <atomic>

#include "row_filter.h"
#include "sparse.h"
#include "top_k.h"

namespace mishards {

/** Which sparse rows are scored: the allowed ones of [begin, end) that are within the bounds. */
struct SparseScan {
  SparseRows rows;
  uint32_t begin;
  uint32_t end;
  RowFilter filter;
  ScoreBounds bounds;
  uint32_t source;
};

/** Offers them to `result`; returns early when `stopped`. */
void scanSparse(const SparseScan& scan, const SparseScorer& score, TopK& result, const std::atomic<bool>& stopped);

}  // namespace mishards
