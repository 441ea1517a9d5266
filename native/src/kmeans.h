#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "simd/simd.h"
#include "source.h"

namespace mishards {

/**
 * Centres and how near a vector is to each, greater is nearer: <v, c> - bias(c). With |c|^2 / 2 as the bias that orders
 * by squared distance, with 0 by inner product.
 */
struct CentroidTable {
  const float* values = nullptr;
  const float* biases = nullptr;
  uint32_t count = 0;
  uint32_t dim = 0;

  /** `scores` has room for `count`. */
  void scoreAll(const Simd& simd, const float* vector, float* scores) const;
  /** The first of the nearest; the first of all for a vector that is near to none, because it is not finite. */
  uint32_t nearest(const Simd& simd, const float* vector) const;
};

/**
 * How vectors of a metric are seen by clustering. L2: centred, so that a common offset costs no precision. IP and COSINE:
 * brought to length 1, so that lists gather directions.
 */
class ClusterSpace {
 public:
  ClusterSpace(Metric metric, std::vector<float> mean) : metric_(metric), mean_(std::move(mean)) {}

  /** The mean of the finite rows of a sample for L2, zeros for the others. */
  static std::vector<float> meanOf(const VectorRows& rows, Metric metric);

  Metric metric() const { return metric_; }
  bool spherical() const { return metric_ != Metric::kL2; }
  const std::vector<float>& mean() const { return mean_; }
  /** False when the vector has no finite place there. */
  bool place(const Simd& simd, const float* vector, float* out) const;

 private:
  Metric metric_;
  std::vector<float> mean_;
};

/**
 * Lloyd's k-means on a sample of rows, spherical for IP and COSINE (Dhillon and Modha 2001). Steps cover disjoint ranges from
 * any number of threads; the result depends on rows, seed and instruction set alone.
 */
class KMeans {
 public:
  /** At most `countMax` centres, fewer when the rows have fewer finite ones. */
  KMeans(const Simd& simd, const VectorRows& rows, const ClusterSpace& space, uint32_t countMax, uint64_t seed);

  uint32_t sampleCount() const { return static_cast<uint32_t>(sample_.size()); }
  uint32_t count() const { return count_; }

  /** Finds the nearest centre of sampled rows; any centre once `stopped`. */
  void assign(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  /** Once between `assign` and `update`. Returns how many sampled rows have moved. */
  uint32_t group();
  /** Moves centres to the mean of their rows. */
  void update(uint32_t begin, uint32_t end);
  /** Once after `update`: centres without rows are put beside the ones with most. */
  void settle();

  CentroidTable table() const { return {centroids_.data(), biases_.data(), count_, rows_.dim}; }
  size_t bytes() const;

 private:
  void assignBatch(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  void drawSample(uint32_t wanted, uint64_t seed);
  void drawCentres(uint32_t countMax, uint64_t seed);
  void computeBiases();
  float* centre(uint32_t index) { return centroids_.data() + size_t{index} * rows_.dim; }

  const Simd& simd_;
  const VectorRows rows_;
  const ClusterSpace& space_;
  uint32_t count_ = 0;
  std::vector<uint32_t> sample_;
  std::vector<uint32_t> nearest_;
  std::atomic<uint32_t> moved_{0};
  /** Sample indexes by centre: those of centre c are at [starts_[c], starts_[c + 1]). */
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> members_;
  std::vector<float> centroids_;
  std::vector<float> biases_;
};

/** Numbers by group, ascending within one: those of group g are at [starts[g], starts[g + 1]) of `members`. */
void groupBy(const std::vector<uint32_t>& groups, uint32_t groupCount, std::vector<uint32_t>* starts,
             std::vector<uint32_t>* members);

/** |c|^2 / 2 of each centre, or zeros. */
std::vector<float> centroidBiases(const float* centroids, uint32_t count, uint32_t dim, bool spherical);

}  // namespace mishards
