#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mishards {

/**
 * A random orthogonal transform in O(dim log dim): rounds of random signs and Walsh-Hadamard transforms over the first
 * and the last power-of-two block. It spreads every vector evenly over its dimensions, which is what makes few bits a
 * dimension enough (Ailon and Chazelle 2009; Gao and Long, RaBitQ, 2024). A function of dim and seed.
 */
class Rotation {
 public:
  Rotation(size_t dim, uint64_t seed);

  /** Rotates `dim` values in place. */
  void apply(float* values) const;

 private:
  void round(float* values, const float* signs) const;

  size_t dim_;
  size_t block_;
  std::vector<float> signs_;
};

}  // namespace mishards
