#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "memory.h"
#include "source.h"

namespace mishards {

/** No dimension has this number. */
constexpr uint32_t kNoDimension = 0xffffffff;

/** What BM25 asks for besides the vectors (Robertson and Zaragoza 2009, section 3.5). */
struct Bm25 {
  double k1 = 0;
  double b = 0;
  double averageLength = 1;

  /** What a row's length adds to its term frequencies. */
  double damping(double length) const { return k1 * (1 - b + b * length / averageLength); }
  /** The weight of a frequency; grows with it and falls with the damping. */
  double saturation(double frequency, double damping) const {
    return frequency == 0 ? 0 : frequency * (k1 + 1) / (frequency + damping);
  }
};

/** Sum of the values, as every part of the kernel computes it. */
double lengthOf(const SparseRow& row);

/** Rows of sparse vectors: in one array by offsets, or each where `table` says. */
struct SparseRows {
  uint32_t rowCount = 0;
  const uint32_t* offsets = nullptr;
  const uint32_t* indices = nullptr;
  const float* values = nullptr;
  const SparseRow* table = nullptr;

  SparseRow row(size_t index) const {
    if (table != nullptr) return table[index];
    const uint32_t begin = offsets[index];
    return {indices + begin, values + begin, offsets[index + 1] - begin};
  }
};

/** Sparse rows that grow at the end. Rows never move, so searches read those that were there when they began. */
class SparseStore {
 public:
  explicit SparseStore(uint32_t capacity) : table_(capacity) {}

  void append(const SparseRows& rows);
  SparseRows firstRows(uint32_t rowCount) const { return {rowCount, nullptr, nullptr, nullptr, table_.data()}; }

 private:
  uint32_t* room(size_t count);

  PageArray<SparseRow> table_;
  uint32_t rowCount_ = 0;
  std::vector<PageArray<uint32_t>> chunks_;
  size_t used_ = 0;
};

/** A sparse query as a hash table, to meet rows in whatever order they come. */
class SparseScorer {
 public:
  SparseScorer(Metric metric, const Bm25& bm25, const SparseRow& query);

  /** 0 for a row that is no hit. */
  float operator()(const SparseRow& row) const;

 private:
  struct Slot {
    uint32_t dimension = kNoDimension;
    float weight = 0;
  };

  float weightOf(uint32_t dimension) const {
    for (size_t at = (dimension * kHashFactor) >> shift_;; at = (at + 1) & mask_) {
      if (slots_[at].dimension == dimension) return slots_[at].weight;
      if (slots_[at].dimension == kNoDimension) return 0;
    }
  }

  static constexpr uint32_t kHashFactor = 0x9e3779b1;

  bool isBm25_;
  Bm25 bm25_;
  std::vector<Slot> slots_;
  uint32_t shift_;
  size_t mask_;
};

}  // namespace mishards
