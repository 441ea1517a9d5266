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
MISHARDS_TARGET inline __m128 sumsOf(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 abcd = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))),
                                    _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

/** Four rows at a time share the loads of the vector. */
MISHARDS_TARGET void innerProducts(const float* vector, const float* rows, size_t count, size_t dim, float* products) {
  size_t row = 0;
  for (; row + 4 <= count; row += 4) {
    const float* at[4] = {rows + row * dim, rows + (row + 1) * dim, rows + (row + 2) * dim, rows + (row + 3) * dim};
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (size_t i = 0; i < dim; i += 16) {
      const __mmask16 mask = dim - i >= 16 ? static_cast<__mmask16>(0xffff) : tailMask(dim - i);
      const __m512 values = _mm512_maskz_loadu_ps(mask, vector + i);
      for (size_t j = 0; j < 4; j++) sums[j] = _mm512_fmadd_ps(values, _mm512_maskz_loadu_ps(mask, at[j] + i), sums[j]);
    }
    _mm_storeu_ps(products + row, sumsOf(sums[0], sums[1], sums[2], sums[3]));
  }
  for (; row < count; row++) products[row] = innerProduct(vector, rows + row * dim, dim);
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

/** Where the rows of one query are scored, four at a time. */
template <int kBits>
class RowScorer {
 public:
  MISHARDS_TARGET RowScorer(const CodeTable& table, const CodeQuery& query)
      : table_(table),
        bytes_(query.bytes),
        size_(query.chunks * kCodeChunk),
        low_(_mm512_loadu_si512(bytes_)),
        high_(kBits == 4 ? _mm512_loadu_si512(bytes_ + size_) : low_),
        offset_(_mm_set1_ps(query.offset)),
        scale_(_mm_set1_ps(query.scale)),
        shift_(_mm_set1_ps(query.shift)) {}

  MISHARDS_TARGET inline __m128 score(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d) const {
    const __m512i zero = _mm512_setzero_si512();
    __m512i sumA = addChunk<kBits>(zero, a, low_, high_);
    __m512i sumB = addChunk<kBits>(zero, b, low_, high_);
    __m512i sumC = addChunk<kBits>(zero, c, low_, high_);
    __m512i sumD = addChunk<kBits>(zero, d, low_, high_);
    for (size_t at = kCodeChunk; at < size_; at += kCodeChunk) {
      const __m512i low = _mm512_loadu_si512(bytes_ + at);
      const __m512i high = kBits == 4 ? _mm512_loadu_si512(bytes_ + size_ + at) : low;
      sumA = addChunk<kBits>(sumA, a + at, low, high);
      sumB = addChunk<kBits>(sumB, b + at, low, high);
      sumC = addChunk<kBits>(sumC, c + at, low, high);
      sumD = addChunk<kBits>(sumD, d + at, low, high);
    }
    const __m128 dots = _mm_cvtepi32_ps(sumsOf(sumA, sumB, sumC, sumD));
    const __m128 ab = _mm_unpacklo_ps(factorsOf(a), factorsOf(b));
    const __m128 cd = _mm_unpacklo_ps(factorsOf(c), factorsOf(d));
    const __m128 scales = _mm_movelh_ps(ab, cd);
    const __m128 biases = _mm_movehl_ps(cd, ab);
    const __m128 scaled = _mm_sub_ps(_mm_mul_ps(scale_, dots), shift_);
    return _mm_add_ps(_mm_add_ps(offset_, biases), _mm_mul_ps(scales, scaled));
  }

  const uint8_t* row(uint32_t index) const { return table_.codes + index * table_.stride; }

 private:
  MISHARDS_TARGET inline __m128 factorsOf(const uint8_t* row) const {
    return _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(row + table_.factorOffset)));
  }

  const CodeTable table_;
  const int8_t* bytes_;
  const size_t size_;
  const __m512i low_;
  const __m512i high_;
  const __m128 offset_;
  const __m128 scale_;
  const __m128 shift_;
};

template <int kBits>
MISHARDS_TARGET void scoresOf(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count,
                              float* scores) {
  const RowScorer<kBits> scorer(table, query);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    _mm_storeu_ps(scores + i, scorer.score(scorer.row(rows[i]), scorer.row(rows[i + 1]), scorer.row(rows[i + 2]),
                                           scorer.row(rows[i + 3])));
  }
  if (i == count) return;
  const uint8_t* last[4];
  for (size_t j = 0; j < 4; j++) last[j] = scorer.row(rows[i + j < count ? i + j : i]);
  const auto mask = static_cast<__mmask8>((1u << (count - i)) - 1);
  _mm_mask_storeu_ps(scores + i, mask, scorer.score(last[0], last[1], last[2], last[3]));
}

// Four groups a step, a byte at most 255 each: sums of the four lanes still fit into 16 bits after so many steps.
constexpr size_t kBlockStepsMax = 64;

/** Sums of the four lanes of 16-bit sums of even and of odd rows, in the order of the rows. */
MISHARDS_TARGET inline __m512i rowSums(__m512i both, __m512i odd) {
  const __m512i even = _mm512_sub_epi16(both, _mm512_slli_epi16(odd, 8));
  const __m256i evenHalf = _mm256_add_epi16(_mm512_castsi512_si256(even), _mm512_extracti64x4_epi64(even, 1));
  const __m256i oddHalf = _mm256_add_epi16(_mm512_castsi512_si256(odd), _mm512_extracti64x4_epi64(odd, 1));
  const __m128i evens = _mm_add_epi16(_mm256_castsi256_si128(evenHalf), _mm256_extracti128_si256(evenHalf, 1));
  const __m128i odds = _mm_add_epi16(_mm256_castsi256_si128(oddHalf), _mm256_extracti128_si256(oddHalf, 1));
  const __m256i rows = _mm256_set_m128i(_mm_unpackhi_epi16(evens, odds), _mm_unpacklo_epi16(evens, odds));
  return _mm512_cvtepu16_epi32(rows);
}

MISHARDS_TARGET inline __mmask16 finishRows(__m512i sums, const float* scales, const float* biases, const BlockQuery& query,
                                            float threshold, float* scores) {
  const __m512 dots = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(query.step), _mm512_cvtepi32_ps(sums)),
                                    _mm512_set1_ps(query.base));
  const __m512 shifts = _mm512_add_ps(_mm512_set1_ps(query.offset),
                                      _mm512_mul_ps(_mm512_set1_ps(query.biasWeight), _mm512_loadu_ps(biases)));
  const __m512 values = _mm512_add_ps(shifts, _mm512_mul_ps(_mm512_loadu_ps(scales), dots));
  _mm512_storeu_ps(scores, values);
  return _mm512_cmp_ps_mask(values, _mm512_set1_ps(threshold), _CMP_GT_OQ);
}

MISHARDS_TARGET uint32_t blockScores(const uint8_t* codes, const float* scales, const float* biases,
                                     const BlockQuery& query, float threshold, float* scores) {
  const __m512i mask = _mm512_set1_epi8(15);
  __m512i low = _mm512_setzero_si512();
  __m512i high = _mm512_setzero_si512();
  const size_t steps = query.groups / kBlockGroups;
  for (size_t begin = 0; begin < steps; begin += kBlockStepsMax) {
    const size_t end = steps - begin < kBlockStepsMax ? steps : begin + kBlockStepsMax;
    __m512i lowBoth = _mm512_setzero_si512();
    __m512i lowOdd = _mm512_setzero_si512();
    __m512i highBoth = _mm512_setzero_si512();
    __m512i highOdd = _mm512_setzero_si512();
    for (size_t step = begin; step < end; step++) {
      const __m512i bytes = _mm512_loadu_si512(codes + step * 64);
      const __m512i table = _mm512_loadu_si512(query.tables + step * 64);
      const __m512i lows = _mm512_shuffle_epi8(table, _mm512_and_si512(bytes, mask));
      const __m512i highs = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask));
      // Even rows are cleared of what odd rows add above them at the end, all at once.
      lowBoth = _mm512_add_epi16(lowBoth, lows);
      lowOdd = _mm512_add_epi16(lowOdd, _mm512_srli_epi16(lows, 8));
      highBoth = _mm512_add_epi16(highBoth, highs);
      highOdd = _mm512_add_epi16(highOdd, _mm512_srli_epi16(highs, 8));
    }
    low = _mm512_add_epi32(low, rowSums(lowBoth, lowOdd));
    high = _mm512_add_epi32(high, rowSums(highBoth, highOdd));
  }
  const uint32_t first = finishRows(low, scales, biases, query, threshold, scores);
  const uint32_t second = finishRows(high, scales + 16, biases + 16, query, threshold, scores + 16);
  return first | second << 16;
}

}  // namespace

const Simd kAvx512 = {"avx512", innerProduct, squaredDistance, innerProductAndNorm, innerProducts, scoresOf<4>, scoresOf<8>, blockScores, &kFormatsAvx512};

}  // namespace mishards

#endif
