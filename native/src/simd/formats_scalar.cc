// The reference: one operation at a time, so that the other sets have something true to be compared with.
#if defined(__clang__)
#pragma clang optimize off
#elif defined(__GNUC__)
#pragma GCC optimize("no-tree-vectorize", "no-tree-slp-vectorize")
#endif

#include <bit>

#include "half.h"
#include "simd/formats.h"

namespace mishards {
namespace {

struct Float16 {
  static float at(const void* row, size_t i) { return halfToFloat(static_cast<const uint16_t*>(row)[i]); }
};
struct Bfloat16 {
  static float at(const void* row, size_t i) { return bfloatToFloat(static_cast<const uint16_t*>(row)[i]); }
};

template <typename Format>
float innerProduct(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  float sum = 0;
  for (size_t i = 0; i < dim; i++) sum += left[i] * Format::at(row, i);
  return sum;
}

template <typename Format>
float squaredDistance(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  float sum = 0;
  for (size_t i = 0; i < dim; i++) {
    const float difference = left[i] - Format::at(row, i);
    sum += difference * difference;
  }
  return sum;
}

template <typename Format>
void innerProductAndNorm(const void* query, const void* row, size_t dim, float* product, float* rowNorm) {
  *product = innerProduct<Format>(query, row, dim);
  float norm = 0;
  for (size_t i = 0; i < dim; i++) norm += Format::at(row, i) * Format::at(row, i);
  *rowNorm = norm;
}

int32_t productOf(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  int32_t sum = 0;
  for (size_t i = 0; i < dim; i++) sum += left[i] * right[i];
  return sum;
}

float innerProductInt8(const void* query, const void* row, size_t dim) {
  return static_cast<float>(productOf(query, row, dim));
}

float squaredDistanceInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  int32_t sum = 0;
  for (size_t i = 0; i < dim; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
  return static_cast<float>(sum);
}

void innerProductAndNormInt8(const void* query, const void* row, size_t dim, float* product, float* rowNorm) {
  *product = static_cast<float>(productOf(query, row, dim));
  *rowNorm = static_cast<float>(productOf(row, row, dim));
}

float hamming(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  int32_t different = 0;
  for (size_t i = 0; i < bytes; i++) different += std::popcount(static_cast<uint8_t>(left[i] ^ right[i]));
  return static_cast<float>(different);
}

float jaccard(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  uint64_t both = 0;
  uint64_t either = 0;
  for (size_t i = 0; i < bytes; i++) {
    both += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] & right[i])));
    either += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] | right[i])));
  }
  return jaccardDistance(both, either);
}

template <typename Format>
constexpr RowKernels kRows = {innerProduct<Format>, squaredDistance<Format>, innerProductAndNorm<Format>};

}  // namespace

const FormatKernels kFormatsScalar = {
    kRows<Float16>,
    kRows<Bfloat16>,
    {innerProductInt8, squaredDistanceInt8, innerProductAndNormInt8},
    hamming,
    jaccard,
};

}  // namespace mishards
