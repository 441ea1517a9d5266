#pragma once

#include <algorithm>

#include "sparse_index.h"

namespace mishards {

/** Behind the last row. */
constexpr uint32_t kNoRow = 0xffffffff;
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
  void next() { at_++; }

  /** What the posting adds to the score of its row. */
  double score() const {
    const double value = postings_.values[at_];
    if (lengths_ == nullptr) return weight_ * value;
    return weight_ * bm25_.saturation(value, bm25_.damping(lengths_[postings_.rows[at_]]));
  }

  /** To the first posting of a row not below `row`. Never back. */
  void advance(uint32_t row) {
    if (this->row() >= row) return;
    size_t step = 1;
    size_t low = at_;
    while (low + step < postings_.count && postings_.rows[low + step] < row) {
      low += step;
      step *= 2;
    }
    const uint32_t* end = postings_.rows + std::min<size_t>(postings_.count, low + step + 1);
    at_ = static_cast<uint32_t>(std::lower_bound(postings_.rows + low, end, row) - postings_.rows);
  }

  /** Bounds what postings from here on, below row `end`, may add. */
  void boundUntil(uint32_t end) {
    bound_ = 0;
    for (size_t block = at_ / kPostingBlock; block * kPostingBlock < postings_.count; block++) {
      if (block * kPostingBlock > at_ && postings_.rows[block * kPostingBlock] >= end) return;
      bound_ = std::max(bound_, boundOf(postings_.blocks[block]));
    }
  }
  double bound() const { return bound_; }

  /** Bounds what a posting of `row`, not before the cursor, may add; true for rows below `end`. */
  double blockBound(uint32_t row, uint32_t* end) const {
    size_t block = at_ / kPostingBlock;
    while ((block + 1) * kPostingBlock < postings_.count && postings_.rows[(block + 1) * kPostingBlock] <= row) block++;
    const size_t next = (block + 1) * kPostingBlock;
    *end = next < postings_.count ? postings_.rows[next] : kNoRow;
    return boundOf(postings_.blocks[block]);
  }

 private:
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
  double bound_ = 0;
};

}  // namespace mishards
