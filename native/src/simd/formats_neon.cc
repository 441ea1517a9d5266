// NEON, as every 64-bit ARM has it; without the optional dot-product and half-precision arithmetic.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <bit>

#include "half.h"
#include "simd/formats.h"

namespace mishards {
namespace {

/** Four values from number i of a row, and one. */
struct Float16 {
  static float32x4_t four(const void* row, size_t i) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(static_cast<const uint16_t*>(row) + i)));
  }
  static float one(const void* row, size_t i) { return halfToFloat(static_cast<const uint16_t*>(row)[i]); }
};
struct Bfloat16 {
  static float32x4_t four(const void* row, size_t i) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(static_cast<const uint16_t*>(row) + i), 16));
  }
  static float one(const void* row, size_t i) { return bfloatToFloat(static_cast<const uint16_t*>(row)[i]); }
};

template <typename Format>
float innerProduct(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  float32x4_t sum0 = vdupq_n_f32(0);
  float32x4_t sum1 = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    sum0 = vfmaq_f32(sum0, vld1q_f32(left + i), Format::four(row, i));
    sum1 = vfmaq_f32(sum1, vld1q_f32(left + i + 4), Format::four(row, i + 4));
  }
  float sum = vaddvq_f32(vaddq_f32(sum0, sum1));
  for (; i < dim; i++) sum += left[i] * Format::one(row, i);
  return sum;
}

template <typename Format>
float squaredDistance(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  float32x4_t sum0 = vdupq_n_f32(0);
  float32x4_t sum1 = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    const float32x4_t d0 = vsubq_f32(vld1q_f32(left + i), Format::four(row, i));
    const float32x4_t d1 = vsubq_f32(vld1q_f32(left + i + 4), Format::four(row, i + 4));
    sum0 = vfmaq_f32(sum0, d0, d0);
    sum1 = vfmaq_f32(sum1, d1, d1);
  }
  float sum = vaddvq_f32(vaddq_f32(sum0, sum1));
  for (; i < dim; i++) {
    const float difference = left[i] - Format::one(row, i);
    sum += difference * difference;
  }
  return sum;
}

template <typename Format>
void innerProductAndNorm(const void* query, const void* row, size_t dim, float* product, float* rowNorm) {
  const auto* left = static_cast<const float*>(query);
  float32x4_t products = vdupq_n_f32(0);
  float32x4_t norms = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 4 <= dim; i += 4) {
    const float32x4_t r = Format::four(row, i);
    products = vfmaq_f32(products, vld1q_f32(left + i), r);
    norms = vfmaq_f32(norms, r, r);
  }
  float sum = vaddvq_f32(products);
  float norm = vaddvq_f32(norms);
  for (; i < dim; i++) {
    const float r = Format::one(row, i);
    sum += left[i] * r;
    norm += r * r;
  }
  *product = sum;
  *rowNorm = norm;
}

/** Adds the products of sixteen pairs. */
inline int32x4_t addProducts(int32x4_t sum, int8x16_t left, int8x16_t right) {
  sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(left), vget_low_s8(right)));
  return vpadalq_s16(sum, vmull_s8(vget_high_s8(left), vget_high_s8(right)));
}

float innerProductInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  int32x4_t sums = vdupq_n_s32(0);
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) sums = addProducts(sums, vld1q_s8(left + i), vld1q_s8(right + i));
  int32_t sum = vaddvq_s32(sums);
  for (; i < dim; i++) sum += left[i] * right[i];
  return static_cast<float>(sum);
}

inline int32x4_t addSquares(int32x4_t sum, int16x8_t differences) {
  sum = vmlal_s16(sum, vget_low_s16(differences), vget_low_s16(differences));
  return vmlal_s16(sum, vget_high_s16(differences), vget_high_s16(differences));
}

float squaredDistanceInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  int32x4_t sums = vdupq_n_s32(0);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) sums = addSquares(sums, vsubl_s8(vld1_s8(left + i), vld1_s8(right + i)));
  int32_t sum = vaddvq_s32(sums);
  for (; i < dim; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
  return static_cast<float>(sum);
}

void innerProductAndNormInt8(const void* query, const void* row, size_t dim, float* product, float* rowNorm) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  int32x4_t products = vdupq_n_s32(0);
  int32x4_t norms = vdupq_n_s32(0);
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const int8x16_t r = vld1q_s8(right + i);
    products = addProducts(products, vld1q_s8(left + i), r);
    norms = addProducts(norms, r, r);
  }
  int32_t sum = vaddvq_s32(products);
  int32_t norm = vaddvq_s32(norms);
  for (; i < dim; i++) {
    sum += left[i] * right[i];
    norm += right[i] * right[i];
  }
  *product = static_cast<float>(sum);
  *rowNorm = static_cast<float>(norm);
}

/** Adds the counts of the ones of sixteen bytes. */
inline uint64x2_t addOnes(uint64x2_t counts, uint8x16_t bits) {
  return vpadalq_u32(counts, vpaddlq_u16(vpaddlq_u8(vcntq_u8(bits))));
}

float hamming(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  uint64x2_t counts = vdupq_n_u64(0);
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) counts = addOnes(counts, veorq_u8(vld1q_u8(left + i), vld1q_u8(right + i)));
  uint64_t different = vaddvq_u64(counts);
  for (; i < bytes; i++) different += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] ^ right[i])));
  return static_cast<float>(different);
}

float jaccard(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  uint64x2_t boths = vdupq_n_u64(0);
  uint64x2_t eithers = vdupq_n_u64(0);
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const uint8x16_t l = vld1q_u8(left + i);
    const uint8x16_t r = vld1q_u8(right + i);
    boths = addOnes(boths, vandq_u8(l, r));
    eithers = addOnes(eithers, vorrq_u8(l, r));
  }
  uint64_t both = vaddvq_u64(boths);
  uint64_t either = vaddvq_u64(eithers);
  for (; i < bytes; i++) {
    both += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] & right[i])));
    either += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] | right[i])));
  }
  return jaccardDistance(both, either);
}

template <typename Format>
constexpr RowKernels kRows = {innerProduct<Format>, squaredDistance<Format>, innerProductAndNorm<Format>};

}  // namespace

const FormatKernels kFormatsNeon = {
    kRows<Float16>,
    kRows<Bfloat16>,
    {innerProductInt8, squaredDistanceInt8, innerProductAndNormInt8},
    hamming,
    jaccard,
};

}  // namespace mishards

#endif
