#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "candidate_pool.h"
#include "quantizer.h"

namespace mishards {

/** Which ids a traversal has seen. Forgetting is one increment; the array is cleared once in 255 traversals. */
class VisitedSet {
 public:
  void reset(size_t size) {
    if (marks_.size() < size) {
      marks_.assign(size, 0);
      epoch_ = 0;
    }
    if (++epoch_ == 0) {
      std::memset(marks_.data(), 0, marks_.size());
      epoch_ = 1;
    }
  }
  bool has(uint32_t id) const { return marks_[id] == epoch_; }
  void add(uint32_t id) { marks_[id] = epoch_; }

  /** The set for an inner loop: the array's address and the epoch in registers, which stores of bytes cannot change. */
  struct View {
    uint8_t* marks;
    uint8_t epoch;

    /** Adds it; false when it was there. */
    bool insert(uint32_t id) const {
      const bool unseen = marks[id] != epoch;
      marks[id] = epoch;
      return unseen;
    }
  };
  View view() { return {marks_.data(), epoch_}; }
  bool insert(uint32_t id) { return view().insert(id); }

 private:
  std::vector<uint8_t> marks_;
  uint8_t epoch_ = 0;
};

/** What one thread reuses from search to search: its memory grows to the largest search it has done. */
struct Scratch {
  VisitedSet visited;
  CandidatePool pool;
  PreparedQuery query;
  PreparedQuery rowQuery;
  std::vector<float> values;
  std::vector<float> row;
  std::vector<uint32_t> ids;
  std::vector<uint32_t> hops;
  std::vector<float> scores;
  std::vector<Candidate> frontier;
  std::vector<Candidate> results;
  std::vector<Candidate> refused;
  std::vector<uint32_t> beam;

  /** Room for `count` neighbours of one expansion. */
  void reserveNeighbours(size_t count) {
    if (ids.size() >= count) return;
    ids.resize(count);
    hops.resize(count);
    scores.resize(count);
  }

  /** This thread's own. */
  static Scratch& local() {
    thread_local Scratch scratch;
    return scratch;
  }
};

}  // namespace mishards
