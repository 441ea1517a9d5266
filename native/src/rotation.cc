#include "rotation.h"

#include <bit>
#include <cmath>

#include "random.h"

namespace mishards {
namespace {

constexpr size_t kRounds = 3;

void hadamard(float* values, size_t size) {
  for (size_t half = 1; half < size; half *= 2) {
    for (size_t start = 0; start < size; start += 2 * half) {
      for (size_t i = start; i < start + half; i++) {
        const float left = values[i];
        const float right = values[i + half];
        values[i] = left + right;
        values[i + half] = left - right;
      }
    }
  }
}

}  // namespace

Rotation::Rotation(size_t dim, uint64_t seed) : dim_(dim), block_(std::bit_floor(dim)), signs_(kRounds * 2 * dim) {
  for (size_t i = 0; i < signs_.size(); i++) signs_[i] = (mix64(seed + i) & 1) != 0 ? 1.0f : -1.0f;
}

void Rotation::apply(float* values) const {
  for (size_t r = 0; r < kRounds; r++) round(values, signs_.data() + r * 2 * dim_);
}

void Rotation::round(float* values, const float* signs) const {
  const float scale = 1.0f / std::sqrt(static_cast<float>(block_));
  for (size_t i = 0; i < dim_; i++) values[i] *= signs[i];
  hadamard(values, block_);
  for (size_t i = 0; i < block_; i++) values[i] *= scale;
  if (block_ == dim_) return;
  for (size_t i = 0; i < dim_; i++) values[i] *= signs[dim_ + i];
  float* last = values + (dim_ - block_);
  hadamard(last, block_);
  for (size_t i = 0; i < block_; i++) last[i] *= scale;
}

}  // namespace mishards
