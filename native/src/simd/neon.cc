// NEON, as every 64-bit ARM has it; without the optional dot-product instructions.
#if defined(__aarch64__)

#include <arm_neon.h>

#include "simd/simd.h"

namespace mishards {
namespace {

float innerProduct(const float* left, const float* right, size_t dim) {
  float32x4_t sum0 = vdupq_n_f32(0);
  float32x4_t sum1 = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    sum0 = vfmaq_f32(sum0, vld1q_f32(left + i), vld1q_f32(right + i));
    sum1 = vfmaq_f32(sum1, vld1q_f32(left + i + 4), vld1q_f32(right + i + 4));
  }
  float sum = vaddvq_f32(vaddq_f32(sum0, sum1));
  for (; i < dim; i++) sum += left[i] * right[i];
  return sum;
}

float squaredDistance(const float* left, const float* right, size_t dim) {
  float32x4_t sum0 = vdupq_n_f32(0);
  float32x4_t sum1 = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    const float32x4_t d0 = vsubq_f32(vld1q_f32(left + i), vld1q_f32(right + i));
    const float32x4_t d1 = vsubq_f32(vld1q_f32(left + i + 4), vld1q_f32(right + i + 4));
    sum0 = vfmaq_f32(sum0, d0, d0);
    sum1 = vfmaq_f32(sum1, d1, d1);
  }
  float sum = vaddvq_f32(vaddq_f32(sum0, sum1));
  for (; i < dim; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
  return sum;
}

void innerProductAndNorm(const float* left, const float* right, size_t dim, float* product, float* rightNorm) {
  float32x4_t products = vdupq_n_f32(0);
  float32x4_t norms = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 4 <= dim; i += 4) {
    const float32x4_t r = vld1q_f32(right + i);
    products = vfmaq_f32(products, vld1q_f32(left + i), r);
    norms = vfmaq_f32(norms, r, r);
  }
  float sum = vaddvq_f32(products);
  float norm = vaddvq_f32(norms);
  for (; i < dim; i++) {
    sum += left[i] * right[i];
    norm += right[i] * right[i];
  }
  *product = sum;
  *rightNorm = norm;
}

void innerProducts(const float* vector, const float* rows, size_t count, size_t dim, float* products) {
  for (size_t row = 0; row < count; row++) products[row] = innerProduct(vector, rows + row * dim, dim);
}

inline int32x4_t addProducts(int32x4_t sum, int8x16_t codes, int8x16_t query) {
  sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(codes), vget_low_s8(query)));
  return vpadalq_s16(sum, vmull_s8(vget_high_s8(codes), vget_high_s8(query)));
}

void scores4(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    int32x4_t lows = vdupq_n_s32(0);
    int32x4_t highs = vdupq_n_s32(0);
    for (size_t b = 0; b < bytes; b += 16) {
      const uint8x16_t both = vld1q_u8(code + b);
      lows = addProducts(lows, vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), vld1q_s8(query.bytes + b));
      highs = addProducts(highs, vreinterpretq_s8_u8(vshrq_n_u8(both, 4)), vld1q_s8(query.bytes + bytes + b));
    }
    scores[i] = codeScore(table, query, rows[i], vaddvq_s32(vaddq_s32(lows, highs)));
  }
}

inline int32x4_t addWide(int32x4_t sum, uint8x8_t codes, int8x8_t query) {
  const int16x8_t wide = vreinterpretq_s16_u16(vmovl_u8(codes));
  const int16x8_t values = vmovl_s8(query);
  sum = vmlal_s16(sum, vget_low_s16(wide), vget_low_s16(values));
  return vmlal_s16(sum, vget_high_s16(wide), vget_high_s16(values));
}

void scores8(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    int32x4_t sum0 = vdupq_n_s32(0);
    int32x4_t sum1 = vdupq_n_s32(0);
    for (size_t b = 0; b < bytes; b += 16) {
      sum0 = addWide(sum0, vld1_u8(code + b), vld1_s8(query.bytes + b));
      sum1 = addWide(sum1, vld1_u8(code + b + 8), vld1_s8(query.bytes + b + 8));
    }
    scores[i] = codeScore(table, query, rows[i], vaddvq_s32(vaddq_s32(sum0, sum1)));
  }
}

// A byte at most 255 a group: 16-bit sums hold so many groups.
constexpr size_t kBlockGroupsMax = 256;

uint32_t blockScores(const uint8_t* codes, const float* scales, const float* biases, const BlockQuery& query,
                     float threshold, float* scores) {
  uint32_t sums[kBlockRows] = {};
  for (size_t begin = 0; begin < query.groups; begin += kBlockGroupsMax) {
    const size_t end = query.groups - begin < kBlockGroupsMax ? query.groups : begin + kBlockGroupsMax;
    uint16x8_t parts[4] = {vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0)};
    for (size_t group = begin; group < end; group++) {
      const uint8x16_t bytes = vld1q_u8(codes + group * 16);
      const uint8x16_t table = vld1q_u8(query.tables + group * 16);
      const uint8x16_t lows = vqtbl1q_u8(table, vandq_u8(bytes, vdupq_n_u8(15)));
      const uint8x16_t highs = vqtbl1q_u8(table, vshrq_n_u8(bytes, 4));
      parts[0] = vaddw_u8(parts[0], vget_low_u8(lows));
      parts[1] = vaddw_u8(parts[1], vget_high_u8(lows));
      parts[2] = vaddw_u8(parts[2], vget_low_u8(highs));
      parts[3] = vaddw_u8(parts[3], vget_high_u8(highs));
    }
    for (size_t part = 0; part < 4; part++) {
      uint32_t* at = sums + part * 8;
      vst1q_u32(at, vaddw_u16(vld1q_u32(at), vget_low_u16(parts[part])));
      vst1q_u32(at + 4, vaddw_u16(vld1q_u32(at + 4), vget_high_u16(parts[part])));
    }
  }
  uint32_t better = 0;
  for (uint32_t row = 0; row < kBlockRows; row++) {
    scores[row] = blockScore(query, sums[row], scales[row], biases[row]);
    if (scores[row] > threshold) better |= uint32_t{1} << row;
  }
  return better;
}

}  // namespace

const Simd kNeon = {"neon", innerProduct, squaredDistance, innerProductAndNorm, innerProducts, scores4, scores8, blockScores, &kFormatsNeon};

}  // namespace mishards

#endif
