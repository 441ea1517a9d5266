#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace mishards {

struct Candidate {
  float score;
  uint32_t id;
};

/**
 * The best candidates seen, sorted, best first, with a cursor at the best that was not expanded yet. For the few hundred
 * entries of a graph search a sorted array beats two heaps: most offers fail at one comparison with the worst.
 */
class CandidatePool {
 public:
  void reset(size_t capacity) {
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
    cursor_ = 0;
    worst_ = -std::numeric_limits<float>::infinity();
  }

  /** Drops the offer when it is not better than the worst of a full pool, or not a number. */
  void offer(float score, uint32_t id) {
    if (!(score > worst_)) return;
    size_t at = 0;
    for (size_t rest = size_; rest > 0;) {
      const size_t half = (rest + 1) / 2;
      // Arithmetic, not a branch: the outcome is random.
      at += half * static_cast<size_t>(entries_[at + half - 1].score >= score);
      rest -= half;
    }
    const size_t kept = size_ < capacity_ ? size_ : capacity_ - 1;
    std::memmove(&entries_[at + 1], &entries_[at], (kept - at) * sizeof(Candidate));
    entries_[at] = {score, id};
    size_ = kept + 1;
    if (at < cursor_) cursor_ = at;
    if (size_ == capacity_) worst_ = entries_[size_ - 1].score;
  }

  /** The best candidate that was not expanded, marked as expanded now; false when there is none. */
  bool takeBest(uint32_t* id) {
    while (cursor_ < size_ && (entries_[cursor_].id & kExpanded) != 0) cursor_++;
    if (cursor_ == size_) return false;
    *id = entries_[cursor_].id;
    entries_[cursor_++].id |= kExpanded;
    return true;
  }

  /** The candidate `takeBest` would give now. */
  bool peekBest(uint32_t* id) {
    while (cursor_ < size_ && (entries_[cursor_].id & kExpanded) != 0) cursor_++;
    if (cursor_ == size_) return false;
    *id = entries_[cursor_].id;
    return true;
  }

  size_t size() const { return size_; }
  Candidate at(size_t index) const { return {entries_[index].score, entries_[index].id & ~kExpanded}; }

  /** Ids stay below it: the highest bit marks what was expanded. */
  static constexpr uint32_t kIdEnd = 0x80000000;

 private:
  static constexpr uint32_t kExpanded = 0x80000000;

  std::vector<Candidate> entries_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t cursor_ = 0;
  float worst_ = 0;
};

}  // namespace mishards
