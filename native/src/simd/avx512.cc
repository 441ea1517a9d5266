// AVX-512 with VNNI: four codes at a time, so that one transposing reduction serves four sums.
#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// The intrinsics of GCC 12 use undefined registers on purpose and warn about themselves (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "simd/simd.h"

#define MISHARDS_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")))

namespace mishards {
namespace {

MISHARDS_TARGET inline __mmask16 tailMask(size_t count) {
  return static_cast<__mmask16>((1u << count) - 1);
}

MISHARDS_TARGET float innerProduct(const float* left, const float* right, size_t dim) {
  __m512 sum0 = _mm512_setzero_ps();
  __m512 sum1 = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    sum0 = _mm512_fmadd_ps(_mm512_loadu_ps(left + i), _mm512_loadu_ps(right + i), sum0);
    sum1 = _mm512_fmadd_ps(_mm512_loadu_ps(left + i + 16), _mm512_loadu_ps(right + i + 16), sum1);
  }
  if (i + 16 <= dim) {
    sum0 = _mm512_fmadd_ps(_mm512_loadu_ps(left + i), _mm512_loadu_ps(right + i), sum0);
    i += 16;
  }
  const __mmask16 mask = tailMask(dim - i);
  sum1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, left + i), _mm512_maskz_loadu_ps(mask, right + i), sum1);
  return _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

MISHARDS_TARGET float squaredDistance(const float* left, const float* right, size_t dim) {
  __m512 sum0 = _mm512_setzero_ps();
  __m512 sum1 = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(left + i), _mm512_loadu_ps(right + i));
    const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(left + i + 16), _mm512_loadu_ps(right + i + 16));
    sum0 = _mm512_fmadd_ps(d0, d0, sum0);
    sum1 = _mm512_fmadd_ps(d1, d1, sum1);
  }
  if (i + 16 <= dim) {
    const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(left + i), _mm512_loadu_ps(right + i));
    sum0 = _mm512_fmadd_ps(d0, d0, sum0);
    i += 16;
  }
  const __mmask16 mask = tailMask(dim - i);
  const __m512 d1 = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, left + i), _mm512_maskz_loadu_ps(mask, right + i));
  sum1 = _mm512_fmadd_ps(d1, d1, sum1);
  return _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

MISHARDS_TARGET void innerProductAndNorm(const float* left, const float* right, size_t dim, float* product,
                                         float* rightNorm) {
  __m512 products = _mm512_setzero_ps();
  __m512 norms = _mm512_setzero_ps();
  for (size_t i = 0; i < dim; i += 16) {
    const __mmask16 mask = dim - i >= 16 ? static_cast<__mmask16>(0xffff) : tailMask(dim - i);
    const __m512 r = _mm512_maskz_loadu_ps(mask, right + i);
    products = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, left + i), r, products);
    norms = _mm512_fmadd_ps(r, r, norms);
  }
  *product = _mm512_reduce_add_ps(products);
  *rightNorm = _mm512_reduce_add_ps(norms);
}

/** The sums of the sixteen lanes of each argument. */
MISHARDS_TARGET inline __m128i sumsOf(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/** Adds one chunk of a code to its sum; a 4-bit chunk meets two query registers, an 8-bit chunk one. */
template <int kBits>
MISHARDS_TARGET inline __m512i addChunk(__m512i sum, const uint8_t* code, __m512i low, __m512i high) {
  const __m512i bytes = _mm512_loadu_si512(code);
  if constexpr (kBits == 8) return _mm512_dpbusd_epi32(sum, bytes, low);
  const __m512i mask = _mm512_set1_epi8(15);
  sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(bytes, mask), low);
  return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask), high);
}

MISHARDS_TARGET inline __m128 factorsOf(const uint8_t* row, size_t factorOffset) {
  return _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(row + factorOffset)));
}

template <int kBits>
MISHARDS_TARGET inline void fourScores(const CodeTable& table, const CodeQuery& query, const uint8_t* const* row,
                                       float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  __m512i sum0 = _mm512_setzero_si512();
  __m512i sum1 = _mm512_setzero_si512();
  __m512i sum2 = _mm512_setzero_si512();
  __m512i sum3 = _mm512_setzero_si512();
  for (size_t b = 0; b < bytes; b += kCodeChunk) {
    const __m512i low = _mm512_loadu_si512(query.bytes + b);
    const __m512i high = kBits == 4 ? _mm512_loadu_si512(query.bytes + bytes + b) : low;
    sum0 = addChunk<kBits>(sum0, row[0] + b, low, high);
    sum1 = addChunk<kBits>(sum1, row[1] + b, low, high);
    sum2 = addChunk<kBits>(sum2, row[2] + b, low, high);
    sum3 = addChunk<kBits>(sum3, row[3] + b, low, high);
  }
  const __m128 dots = _mm_cvtepi32_ps(sumsOf(sum0, sum1, sum2, sum3));
  const __m128 f01 = _mm_unpacklo_ps(factorsOf(row[0], table.factorOffset), factorsOf(row[1], table.factorOffset));
  const __m128 f23 = _mm_unpacklo_ps(factorsOf(row[2], table.factorOffset), factorsOf(row[3], table.factorOffset));
  const __m128 scales = _mm_movelh_ps(f01, f23);
  const __m128 biases = _mm_movehl_ps(f23, f01);
  const __m128 scaled = _mm_sub_ps(_mm_mul_ps(_mm_set1_ps(query.scale), dots), _mm_set1_ps(query.shift));
  const __m128 based = _mm_add_ps(_mm_set1_ps(query.offset), biases);
  _mm_storeu_ps(scores, _mm_add_ps(based, _mm_mul_ps(scales, scaled)));
}

template <int kBits>
MISHARDS_TARGET void scoresOf(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count,
                              float* scores) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t* row[4];
    for (size_t j = 0; j < 4; j++) row[j] = table.codes + rows[i + j] * table.stride;
    fourScores<kBits>(table, query, row, scores + i);
  }
  if (i == count) return;
  const uint8_t* row[4];
  for (size_t j = 0; j < 4; j++) row[j] = table.codes + rows[i + j < count ? i + j : i] * table.stride;
  float last[4];
  fourScores<kBits>(table, query, row, last);
  for (size_t j = 0; i + j < count; j++) scores[i + j] = last[j];
}

}  // namespace

const Simd kAvx512 = {"avx512", innerProduct, squaredDistance, innerProductAndNorm, scoresOf<4>, scoresOf<8>};

}  // namespace mishards

#endif
