#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mishards {

struct Hit {
  float score;
  uint32_t source;
  uint32_t row;
};

/** Total order: higher score first, then source, then row. */
inline bool betterHit(const Hit& left, const Hit& right) {
  if (left.score != right.score) return left.score > right.score;
  if (left.source != right.source) return left.source < right.source;
  return left.row < right.row;
}

/** Scores kept: above < score <= upTo. */
struct ScoreBounds {
  float above = -std::numeric_limits<float>::infinity();
  float upTo = std::numeric_limits<float>::infinity();
  bool hasAbove = false;

  /** Whether better scores than those wanted may exist. */
  bool isBelow() const { return upTo != std::numeric_limits<float>::infinity(); }
  /** The best of those below a bound, as pages of an iterator are: what is passed over, no later page brings. */
  bool isPage() const { return isBelow() && !hasAbove; }
  bool keep(float score) const { return (hasAbove ? score > above : score >= above) && score <= upTo; }
};

/** The k best hits offered, whatever their order. Scores that are not numbers are dropped. */
class TopK {
 public:
  explicit TopK(size_t k = 0) : k_(k) {}

  void reset(size_t k) {
    k_ = k;
    hits_.clear();
  }

  /** Whether a hit of this score could still enter. */
  bool wants(float score) const { return hits_.size() < k_ || score >= hits_.front().score; }

  void offer(const Hit& hit) {
    if (hit.score != hit.score) return;
    if (hits_.size() < k_) {
      hits_.push_back(hit);
      std::push_heap(hits_.begin(), hits_.end(), betterHit);
      return;
    }
    if (k_ == 0 || !betterHit(hit, hits_.front())) return;
    std::pop_heap(hits_.begin(), hits_.end(), betterHit);
    hits_.back() = hit;
    std::push_heap(hits_.begin(), hits_.end(), betterHit);
  }

  /** In no order before `sort`, best first after it; nothing may be offered then. */
  const std::vector<Hit>& hits() const { return hits_; }
  void sort() { std::sort(hits_.begin(), hits_.end(), betterHit); }

 private:
  size_t k_;
  std::vector<Hit> hits_;
};

}  // namespace mishards
