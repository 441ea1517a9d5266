#pragma once

#include <algorithm>

#include "sparse_index.h"

namespace mishards {

/** Behind the last row. */
constexpr uint32_t kNoRow = 0xffffffff;
/** Rows whose sums are marked, looked through and cleared together. */
constexpr uint32_t kRun = 64;
/** Sums of bounds are rounded otherwise than sums of scores; this is more than they can differ by. */
constexpr double kBoundSlack = 1 + 1e-12;

/** A walk along the postings of one dimension of a query. */
class PostingCursor {
 public:
  PostingCursor(const Postings& postings, float weight, const SparseIndex& index, const Bm25& bm25)
      : postings_(postings), weight_(weight), lengths_(index.metric() == Metric::kBm25 ? index.lengths() : nullptr), bm25_(bm25) {}

  uint32_t count() const { return postings_.count; }
  /** Of the posting the cursor is at; kNoRow at the end. */
  uint32_t row() const { return at_ < postings_.count ? postings_.rows[at_] : kNoRow; }

  /** What the posting adds to the score of its row. */
  double score() const {
    const double value = postings_.values[at_];
    if (lengths_ == nullptr) return weight_ * value;
    return weight_ * bm25_.saturation(value, bm25_.damping(lengths_[postings_.rows[at_]]));
  }

  /** To the first posting of a row not below `row`. Never back. */
  void advance(uint32_t row) {
    if (this->row() >= row) return;
    const auto blockStart = static_cast<uint32_t>(block_ * kPostingBlock);
    if (blockStart > at_ && postings_.blocks[block_].firstRow <= row) at_ = blockStart;
    size_t step = 1;
    size_t low = at_;
    while (low + step < postings_.count && postings_.rows[low + step] < row) {
      low += step;
      step *= 2;
    }
    const uint32_t* end = postings_.rows + std::min<size_t>(postings_.count, low + step + 1);
    at_ = static_cast<uint32_t>(std::lower_bound(postings_.rows + low, end, row) - postings_.rows);
  }

  /** Bounds what postings of rows in [begin, end) may add, from their blocks alone; false when there are none. Never back. */
  bool boundWithin(uint32_t begin, uint32_t end) {
    const size_t count = blockCount();
    while (block_ + 1 < count && postings_.blocks[block_ + 1].firstRow <= begin) block_++;
    bound_ = 0;
    size_t block = block_;
    for (; block < count && postings_.blocks[block].firstRow < end; block++) {
      bound_ = std::max(bound_, boundOf(postings_.blocks[block]));
    }
    return block > block_ && (block_ + 1 < count || postings_.rows[postings_.count - 1] >= begin);
  }
  double bound() const { return bound_; }
  /** The first row at or behind `row` that may have a posting. */
  uint32_t rowFrom(uint32_t row) const {
    if (postings_.rows[postings_.count - 1] < row) return kNoRow;
    return std::max(row, postings_.blocks[block_].firstRow);
  }

  /** Adds what the postings of rows in [begin, end) add to `sums`, and marks the runs that have some. Moves behind them. */
  void addTo(double* sums, bool* marks, uint32_t begin, uint32_t end) {
    advance(begin);
    const Postings postings = postings_;
    uint32_t at = at_;
    if (lengths_ == nullptr) {
      const double weight = weight_;
      for (; at < postings.count && postings.rows[at] < end; at++) {
        const uint32_t offset = postings.rows[at] - begin;
        sums[offset] += weight * postings.values[at];
        marks[offset / kRun] = true;
      }
    } else {
      for (; at < postings.count && postings.rows[at] < end; at++) {
        const uint32_t offset = postings.rows[at] - begin;
        sums[offset] += weight_ * bm25_.saturation(postings.values[at], bm25_.damping(lengths_[postings.rows[at]]));
        marks[offset / kRun] = true;
      }
    }
    at_ = at;
  }

 private:
  size_t blockCount() const { return (size_t{postings_.count} + kPostingBlock - 1) / kPostingBlock; }

  /** Never below 0, because a row may lack the dimension. */
  double boundOf(const PostingBlock& block) const {
    const double weight = weight_;
    if (lengths_ == nullptr) return std::max({0.0, weight * block.max, weight * block.min});
    return std::max(0.0, weight * bm25_.saturation(block.max, bm25_.damping(block.lengthMin)));
  }

  Postings postings_;
  float weight_;
  const float* lengths_;
  Bm25 bm25_;
  uint32_t at_ = 0;
  /** Of the last rows that were bounded: nothing before it matters any more. */
  size_t block_ = 0;
  double bound_ = 0;
};

}  // namespace mishards
