// AVX2 and FMA. Two accumulators hide the four cycles of a fused multiply-add; 8-bit codes are widened to 16 bits,
// because the byte multiply-add saturates at 2 * 255 * 127.
#if defined(__x86_64__)

#include <immintrin.h>

#include "simd/simd.h"

#define MISHARDS_TARGET __attribute__((target("avx2,fma")))

namespace mishards {
namespace {

MISHARDS_TARGET inline float sumOf(__m256 lanes) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

MISHARDS_TARGET inline int32_t sumOf(__m256i lanes) {
  const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  const __m128i pair = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
  return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 1)));
}

MISHARDS_TARGET float innerProduct(const float* left, const float* right, size_t dim) {
  __m256 sum0 = _mm256_setzero_ps();
  __m256 sum1 = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), _mm256_loadu_ps(right + i), sum0);
    sum1 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i + 8), _mm256_loadu_ps(right + i + 8), sum1);
  }
  if (i + 8 <= dim) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), _mm256_loadu_ps(right + i), sum0);
    i += 8;
  }
  float sum = sumOf(_mm256_add_ps(sum0, sum1));
  for (; i < dim; i++) sum += left[i] * right[i];
  return sum;
}

MISHARDS_TARGET float squaredDistance(const float* left, const float* right, size_t dim) {
  __m256 sum0 = _mm256_setzero_ps();
  __m256 sum1 = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(left + i), _mm256_loadu_ps(right + i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(left + i + 8), _mm256_loadu_ps(right + i + 8));
    sum0 = _mm256_fmadd_ps(d0, d0, sum0);
    sum1 = _mm256_fmadd_ps(d1, d1, sum1);
  }
  if (i + 8 <= dim) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(left + i), _mm256_loadu_ps(right + i));
    sum0 = _mm256_fmadd_ps(d0, d0, sum0);
    i += 8;
  }
  float sum = sumOf(_mm256_add_ps(sum0, sum1));
  for (; i < dim; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
  return sum;
}

MISHARDS_TARGET void innerProductAndNorm(const float* left, const float* right, size_t dim, float* product,
                                         float* rightNorm) {
  __m256 products = _mm256_setzero_ps();
  __m256 norms = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    const __m256 r = _mm256_loadu_ps(right + i);
    products = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), r, products);
    norms = _mm256_fmadd_ps(r, r, norms);
  }
  float sum = sumOf(products);
  float norm = sumOf(norms);
  for (; i < dim; i++) {
    sum += left[i] * right[i];
    norm += right[i] * right[i];
  }
  *product = sum;
  *rightNorm = norm;
}

/** Four rows at a time share the loads of the vector. */
MISHARDS_TARGET void innerProducts(const float* vector, const float* rows, size_t count, size_t dim, float* products) {
  size_t row = 0;
  for (; row + 4 <= count; row += 4) {
    const float* at[4] = {rows + row * dim, rows + (row + 1) * dim, rows + (row + 2) * dim, rows + (row + 3) * dim};
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t i = 0;
    for (; i + 8 <= dim; i += 8) {
      const __m256 values = _mm256_loadu_ps(vector + i);
      for (size_t j = 0; j < 4; j++) sums[j] = _mm256_fmadd_ps(values, _mm256_loadu_ps(at[j] + i), sums[j]);
    }
    for (size_t j = 0; j < 4; j++) {
      float sum = sumOf(sums[j]);
      for (size_t rest = i; rest < dim; rest++) sum += vector[rest] * at[j][rest];
      products[row + j] = sum;
    }
  }
  for (; row < count; row++) products[row] = innerProduct(vector, rows + row * dim, dim);
}

MISHARDS_TARGET inline __m256i load32(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

/** 32 bytes of a 4-bit code against both planes: at most 4 * 15 * 128 in a 16-bit lane. */
MISHARDS_TARGET inline __m256i nibbleProducts(const uint8_t* code, const int8_t* low, const int8_t* high) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i bytes = load32(code);
  const __m256i lows = _mm256_maddubs_epi16(_mm256_and_si256(bytes, mask), load32(low));
  const __m256i highs = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask), load32(high));
  return _mm256_add_epi16(lows, highs);
}

MISHARDS_TARGET void scores4(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count,
                             float* scores) {
  const __m256i ones = _mm256_set1_epi16(1);
  const size_t bytes = query.chunks * kCodeChunk;
  const int8_t* low = query.bytes;
  const int8_t* high = query.bytes + bytes;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    __m256i sum = _mm256_setzero_si256();
    for (size_t b = 0; b < bytes; b += kCodeChunk) {
      const __m256i first = nibbleProducts(code + b, low + b, high + b);
      const __m256i second = nibbleProducts(code + b + 32, low + b + 32, high + b + 32);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_add_epi16(first, second), ones));
    }
    scores[i] = codeScore(table, query, rows[i], sumOf(sum));
  }
}

MISHARDS_TARGET inline __m256i byteProducts(const uint8_t* code, const int8_t* query) {
  const __m256i codes = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(code)));
  const __m256i values = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query)));
  return _mm256_madd_epi16(codes, values);
}

MISHARDS_TARGET void scores8(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count,
                             float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    __m256i sum0 = _mm256_setzero_si256();
    __m256i sum1 = _mm256_setzero_si256();
    for (size_t b = 0; b < bytes; b += 32) {
      sum0 = _mm256_add_epi32(sum0, byteProducts(code + b, query.bytes + b));
      sum1 = _mm256_add_epi32(sum1, byteProducts(code + b + 16, query.bytes + b + 16));
    }
    scores[i] = codeScore(table, query, rows[i], sumOf(_mm256_add_epi32(sum0, sum1)));
  }
}

// Two groups a step, a byte at most 255 each: sums of the two lanes still fit into 16 bits after so many steps.
constexpr size_t kBlockStepsMax = 128;

/** Adds to `sums` (16 numbers) the sums of both lanes of 16-bit sums of even and of odd rows, in the order of the rows. */
MISHARDS_TARGET inline void addRowSums(__m256i both, __m256i odd, __m256i* sums) {
  const __m256i even = _mm256_sub_epi16(both, _mm256_slli_epi16(odd, 8));
  const __m128i evens = _mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
  const __m128i odds = _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
  sums[0] = _mm256_add_epi32(sums[0], _mm256_cvtepu16_epi32(_mm_unpacklo_epi16(evens, odds)));
  sums[1] = _mm256_add_epi32(sums[1], _mm256_cvtepu16_epi32(_mm_unpackhi_epi16(evens, odds)));
}

MISHARDS_TARGET uint32_t blockScores(const uint8_t* codes, const float* scales, const float* biases,
                                     const BlockQuery& query, float threshold, float* scores) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i zero = _mm256_setzero_si256();
  __m256i sums[4] = {zero, zero, zero, zero};
  const size_t steps = query.groups / 2;
  for (size_t begin = 0; begin < steps; begin += kBlockStepsMax) {
    const size_t end = steps - begin < kBlockStepsMax ? steps : begin + kBlockStepsMax;
    __m256i lowBoth = zero;
    __m256i lowOdd = zero;
    __m256i highBoth = zero;
    __m256i highOdd = zero;
    for (size_t step = begin; step < end; step++) {
      const __m256i bytes = load32(codes + step * 32);
      const __m256i table = load32(query.tables + step * 32);
      const __m256i lows = _mm256_shuffle_epi8(table, _mm256_and_si256(bytes, mask));
      const __m256i highs = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask));
      // Even rows are cleared of what odd rows add above them at the end, all at once.
      lowBoth = _mm256_add_epi16(lowBoth, lows);
      lowOdd = _mm256_add_epi16(lowOdd, _mm256_srli_epi16(lows, 8));
      highBoth = _mm256_add_epi16(highBoth, highs);
      highOdd = _mm256_add_epi16(highOdd, _mm256_srli_epi16(highs, 8));
    }
    addRowSums(lowBoth, lowOdd, sums);
    addRowSums(highBoth, highOdd, sums + 2);
  }
  uint32_t better = 0;
  for (size_t part = 0; part < 4; part++) {
    const __m256 dots = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(query.step), _mm256_cvtepi32_ps(sums[part])),
                                      _mm256_set1_ps(query.base));
    const __m256 shifts = _mm256_add_ps(_mm256_set1_ps(query.offset),
                                        _mm256_mul_ps(_mm256_set1_ps(query.biasWeight), _mm256_loadu_ps(biases + part * 8)));
    const __m256 values = _mm256_add_ps(shifts, _mm256_mul_ps(_mm256_loadu_ps(scales + part * 8), dots));
    _mm256_storeu_ps(scores + part * 8, values);
    const __m256 above = _mm256_cmp_ps(values, _mm256_set1_ps(threshold), _CMP_GT_OQ);
    better |= static_cast<uint32_t>(_mm256_movemask_ps(above)) << (part * 8);
  }
  return better;
}

}  // namespace

const Simd kAvx2 = {"avx2", innerProduct, squaredDistance, innerProductAndNorm, innerProducts, scores4, scores8, blockScores, &kFormatsAvx2};

}  // namespace mishards

#endif
