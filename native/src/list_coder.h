#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "candidate_pool.h"
#include "container.h"
#include "kmeans.h"
#include "row_filter.h"
#include "simd/simd.h"

namespace mishards {

/** Rows in list order: those of list l are at positions [begin(l), end(l)). */
struct ListLayout {
  const uint32_t* offsets;
  const uint32_t* rowIds;
  uint32_t listCount;
  /** Of blocks of 32 rows, which a list has to itself: the first of each list, and of one after the last. */
  const uint32_t* blocks;

  uint32_t begin(uint32_t list) const { return offsets[list]; }
  uint32_t end(uint32_t list) const { return offsets[list + 1]; }
  uint32_t rowCount() const { return offsets[listCount]; }
  size_t blockCount() const { return blocks[listCount]; }
};

std::vector<uint32_t> blockStarts(const uint32_t* offsets, uint32_t listCount);

/**
 * The space that codes live in: vectors minus the mean for L2, as they are for IP, of length 1 for COSINE. A list's centre
 * there is its cluster centre times its scale: for IP and COSINE the mean length of its rows along that direction.
 */
struct CodeSpace {
  const ClusterSpace* cluster = nullptr;
  CentroidTable centroids;
  const float* scales = nullptr;

  bool isL2() const { return cluster->metric() == Metric::kL2; }
  uint32_t dim() const { return centroids.dim; }
  const float* direction(uint32_t list) const { return centroids.values + size_t{list} * centroids.dim; }
  /** False when the vector is not finite there. */
  bool place(const Simd& simd, const float* vector, float* out) const;
  /** `vector` minus the centre of its list; false as above. `placed` gets the vector itself. */
  bool residual(const Simd& simd, const float* vector, uint32_t list, float* placed, float* out) const;
};

/** The best estimates so far of rows that the request allows. */
class CodePool {
 public:
  /** Keeps estimates in (`estimateMin`, `estimateMax`]. */
  CodePool(std::vector<Candidate>& storage, size_t capacity, const RowFilter& filter, float estimateMin, float estimateMax)
      : entries_(storage), capacity_(capacity), filter_(filter), estimateMax_(estimateMax), threshold_(estimateMin) {
    entries_.clear();
  }

  /** Estimates at or below are of no use. */
  float threshold() const { return threshold_; }
  size_t size() const { return entries_.size(); }
  /** Rows that were taken in, counting those that have been pushed out. */
  size_t seen() const { return seen_; }

  void offer(float score, uint32_t row) {
    if (!(score > threshold_) || score > estimateMax_ || !filter_.allows(row)) return;
    seen_++;
    if (entries_.size() == capacity_) {
      std::pop_heap(entries_.begin(), entries_.end(), better);
      entries_.back() = {score, row};
    } else {
      entries_.push_back({score, row});
    }
    std::push_heap(entries_.begin(), entries_.end(), better);
    if (entries_.size() == capacity_) threshold_ = entries_.front().score;
  }

  static bool better(const Candidate& left, const Candidate& right) {
    return left.score != right.score ? left.score > right.score : left.id < right.id;
  }

 private:
  std::vector<Candidate>& entries_;
  const size_t capacity_;
  const RowFilter& filter_;
  const float estimateMax_;
  float threshold_;
  size_t seen_ = 0;
};

/** One query on the codes of an index, list by list. */
class ListScan {
 public:
  virtual ~ListScan() = default;
  virtual void scan(uint32_t list, CodePool& pool) = 0;
  /** How far an estimate may be off, for all but a few rows. */
  virtual float slack() const = 0;
};

/** Null for a scan whose query was not finite, which shows in its slack. */
inline std::unique_ptr<ListScan> usable(std::unique_ptr<ListScan> scan) {
  return std::isfinite(scan->slack()) ? std::move(scan) : nullptr;
}

/** Codes of all lists, as they are in memory. */
struct ListCodes {
  const uint8_t* codes = nullptr;
  const float* factors = nullptr;
  float codeError = 0;
};

/** What a coder learns from: some positions of the lists. */
struct CodeSample {
  const VectorRows* rows;
  /** Rows and the lists they are in. */
  std::vector<std::pair<uint32_t, uint32_t>> members;
};

/**
 * How an index codes the rows of its lists. After `train` for every slice it is immutable, and any thread may encode lists and
 * scan them.
 */
class ListCoder {
 public:
  virtual ~ListCoder() = default;

  virtual uint32_t trainSlices() const { return 0; }
  /** Members a sample needs; more teach it little. */
  virtual uint32_t trainRows() const { return 0; }
  virtual void train(uint32_t, const CodeSample&, const std::atomic<bool>&) {}

  /** Of section CODE, with what kernels read past its end. */
  virtual size_t codeBytes(const ListLayout& layout) const = 0;
  /** Of section FACT. */
  virtual size_t factorCount(const ListLayout& layout) const = 0;
  /**
   * Codes one list into its part of the zeroed sections; not all of it when `stopped`. Returns the sum of the squared errors of
   * its codes.
   */
  virtual double encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                        const std::atomic<bool>& stopped) const = 0;
  /** Adds the sections that only this coder has. They must live until the writer is done. */
  virtual void describe(ContainerWriter& writer) const = 0;
  /** Throws `CORRUPT_DATA` when codes or factors are none that `encode` gives. */
  virtual void check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const = 0;

  /** Null for a query that codes cannot tell anything about: it is not finite in their space. `queryBits` of 1 to 8 rounds it to so many bits a value, if the coder can; 0 does not. */
  virtual std::unique_ptr<ListScan> scan(const Simd& simd, const float* query, uint32_t queryBits,
                                         const ListLayout& layout, const ListCodes& codes) const = 0;
  /** What estimating a row costs, against scoring it exactly. */
  virtual double cost() const = 0;
};

/** Estimates are this many standard deviations or less from the truth, nearly always. */
constexpr float kEstimateDeviations = 4;

}  // namespace mishards
