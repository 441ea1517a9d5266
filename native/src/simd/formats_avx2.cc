// AVX2, FMA and F16C. Two accumulators hide the four cycles of a fused multiply-add.
#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#include "half.h"
#include "simd/formats.h"

#define MISHARDS_TARGET __attribute__((target("avx2,fma,f16c,popcnt")))

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

MISHARDS_TARGET inline __m128i load16(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

MISHARDS_TARGET inline __m256i load32(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

/** Eight values from number i of a row, and one. */
struct Float16 {
  MISHARDS_TARGET static __m256 eight(const void* row, size_t i) {
    return _mm256_cvtph_ps(load16(static_cast<const uint16_t*>(row) + i));
  }
  MISHARDS_TARGET static float one(const void* row, size_t i) {
    return halfToFloat(static_cast<const uint16_t*>(row)[i]);
  }
};
struct Bfloat16 {
  MISHARDS_TARGET static __m256 eight(const void* row, size_t i) {
    const __m256i wide = _mm256_cvtepu16_epi32(load16(static_cast<const uint16_t*>(row) + i));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  MISHARDS_TARGET static float one(const void* row, size_t i) {
    return bfloatToFloat(static_cast<const uint16_t*>(row)[i]);
  }
};

template <typename Format>
MISHARDS_TARGET float innerProduct(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  __m256 sum0 = _mm256_setzero_ps();
  __m256 sum1 = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), Format::eight(row, i), sum0);
    sum1 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i + 8), Format::eight(row, i + 8), sum1);
  }
  if (i + 8 <= dim) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), Format::eight(row, i), sum0);
    i += 8;
  }
  float sum = sumOf(_mm256_add_ps(sum0, sum1));
  for (; i < dim; i++) sum += left[i] * Format::one(row, i);
  return sum;
}

template <typename Format>
MISHARDS_TARGET float squaredDistance(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const float*>(query);
  __m256 sum0 = _mm256_setzero_ps();
  __m256 sum1 = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(left + i), Format::eight(row, i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(left + i + 8), Format::eight(row, i + 8));
    sum0 = _mm256_fmadd_ps(d0, d0, sum0);
    sum1 = _mm256_fmadd_ps(d1, d1, sum1);
  }
  if (i + 8 <= dim) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(left + i), Format::eight(row, i));
    sum0 = _mm256_fmadd_ps(d0, d0, sum0);
    i += 8;
  }
  float sum = sumOf(_mm256_add_ps(sum0, sum1));
  for (; i < dim; i++) {
    const float difference = left[i] - Format::one(row, i);
    sum += difference * difference;
  }
  return sum;
}

template <typename Format>
MISHARDS_TARGET void innerProductAndNorm(const void* query, const void* row, size_t dim, float* product,
                                         float* rowNorm) {
  const auto* left = static_cast<const float*>(query);
  __m256 products = _mm256_setzero_ps();
  __m256 norms = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    const __m256 r = Format::eight(row, i);
    products = _mm256_fmadd_ps(_mm256_loadu_ps(left + i), r, products);
    norms = _mm256_fmadd_ps(r, r, norms);
  }
  float sum = sumOf(products);
  float norm = sumOf(norms);
  for (; i < dim; i++) {
    const float r = Format::one(row, i);
    sum += left[i] * r;
    norm += r * r;
  }
  *product = sum;
  *rowNorm = norm;
}

MISHARDS_TARGET inline __m256i wide16(const int8_t* at) {
  return _mm256_cvtepi8_epi16(load16(at));
}

MISHARDS_TARGET float innerProductInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  __m256i sums = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(wide16(left + i), wide16(right + i)));
  }
  int32_t sum = sumOf(sums);
  for (; i < dim; i++) sum += left[i] * right[i];
  return static_cast<float>(sum);
}

MISHARDS_TARGET float squaredDistanceInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  __m256i sums = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const __m256i difference = _mm256_sub_epi16(wide16(left + i), wide16(right + i));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(difference, difference));
  }
  int32_t sum = sumOf(sums);
  for (; i < dim; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
  return static_cast<float>(sum);
}

MISHARDS_TARGET void innerProductAndNormInt8(const void* query, const void* row, size_t dim, float* product,
                                             float* rowNorm) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  __m256i products = _mm256_setzero_si256();
  __m256i norms = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const __m256i r = wide16(right + i);
    products = _mm256_add_epi32(products, _mm256_madd_epi16(wide16(left + i), r));
    norms = _mm256_add_epi32(norms, _mm256_madd_epi16(r, r));
  }
  int32_t sum = sumOf(products);
  int32_t norm = sumOf(norms);
  for (; i < dim; i++) {
    sum += left[i] * right[i];
    norm += right[i] * right[i];
  }
  *product = static_cast<float>(sum);
  *rowNorm = static_cast<float>(norm);
}

/** Counts of the ones, as four sums of 64 bits (Mula: a table of 16 counts, looked up by the shuffle). */
MISHARDS_TARGET inline __m256i countOnes(__m256i bits) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(bits, mask));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bits, 4), mask));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

MISHARDS_TARGET inline uint64_t totalOf(__m256i counts) {
  const __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1));
  return static_cast<uint64_t>(_mm_extract_epi64(pair, 0)) + static_cast<uint64_t>(_mm_extract_epi64(pair, 1));
}

MISHARDS_TARGET float hamming(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  __m256i counts = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    counts = _mm256_add_epi64(counts, countOnes(_mm256_xor_si256(load32(left + i), load32(right + i))));
  }
  uint64_t different = totalOf(counts);
  for (; i < bytes; i++) different += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] ^ right[i])));
  return static_cast<float>(different);
}

MISHARDS_TARGET float jaccard(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  __m256i boths = _mm256_setzero_si256();
  __m256i eithers = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    const __m256i l = load32(left + i);
    const __m256i r = load32(right + i);
    boths = _mm256_add_epi64(boths, countOnes(_mm256_and_si256(l, r)));
    eithers = _mm256_add_epi64(eithers, countOnes(_mm256_or_si256(l, r)));
  }
  uint64_t both = totalOf(boths);
  uint64_t either = totalOf(eithers);
  for (; i < bytes; i++) {
    both += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] & right[i])));
    either += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(left[i] | right[i])));
  }
  return jaccardDistance(both, either);
}

template <typename Format>
constexpr RowKernels kRows = {innerProduct<Format>, squaredDistance<Format>, innerProductAndNorm<Format>};

}  // namespace

const FormatKernels kFormatsAvx2 = {
    kRows<Float16>,
    kRows<Bfloat16>,
    {innerProductInt8, squaredDistanceInt8, innerProductAndNormInt8},
    hamming,
    jaccard,
};

}  // namespace mishards

#endif
