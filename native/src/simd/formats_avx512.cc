// AVX-512: masked loads for the tails, VNNI for int8, VPOPCNTDQ for bits where the processor has it.
#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// The intrinsics of GCC 12 use undefined registers on purpose and warn about themselves (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "simd/formats.h"

#define MISHARDS_BASE "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"
#define MISHARDS_TARGET __attribute__((target(MISHARDS_BASE)))
#define MISHARDS_TARGET_POPCNT __attribute__((target(MISHARDS_BASE ",avx512vpopcntdq")))
#define MISHARDS_INLINE __attribute__((always_inline)) inline

namespace mishards {
namespace {

MISHARDS_TARGET inline __mmask16 mask16(size_t count) {
  return static_cast<__mmask16>((1u << count) - 1);
}

/** The first `count` of 64, at most all. */
MISHARDS_TARGET inline __mmask64 mask64(size_t count) {
  return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

MISHARDS_TARGET inline __mmask32 mask32(size_t count) {
  return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
}

/** Sixteen values from number i of a row, or those of a mask and zeros. */
struct Float32 {
  MISHARDS_TARGET static __m512 load(const void* row, size_t i) {
    return _mm512_loadu_ps(static_cast<const float*>(row) + i);
  }
  MISHARDS_TARGET static __m512 load(const void* row, size_t i, __mmask16 mask) {
    return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(row) + i);
  }
};
struct Float16 {
  MISHARDS_TARGET static __m512 load(const void* row, size_t i) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const uint16_t*>(row) + i)));
  }
  MISHARDS_TARGET static __m512 load(const void* row, size_t i, __mmask16 mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(row) + i));
  }
};
struct Bfloat16 {
  MISHARDS_TARGET static __m512 widen(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  MISHARDS_TARGET static __m512 load(const void* row, size_t i) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const uint16_t*>(row) + i)));
  }
  MISHARDS_TARGET static __m512 load(const void* row, size_t i, __mmask16 mask) {
    return widen(_mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(row) + i));
  }
};

template <typename Format>
MISHARDS_TARGET float innerProduct(const void* query, const void* row, size_t dim) {
  __m512 sum0 = _mm512_setzero_ps();
  __m512 sum1 = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    sum0 = _mm512_fmadd_ps(Float32::load(query, i), Format::load(row, i), sum0);
    sum1 = _mm512_fmadd_ps(Float32::load(query, i + 16), Format::load(row, i + 16), sum1);
  }
  if (i + 16 <= dim) {
    sum0 = _mm512_fmadd_ps(Float32::load(query, i), Format::load(row, i), sum0);
    i += 16;
  }
  const __mmask16 mask = mask16(dim - i);
  sum1 = _mm512_fmadd_ps(Float32::load(query, i, mask), Format::load(row, i, mask), sum1);
  return _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

template <typename Format>
MISHARDS_TARGET float squaredDistance(const void* query, const void* row, size_t dim) {
  __m512 sum0 = _mm512_setzero_ps();
  __m512 sum1 = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    const __m512 d0 = _mm512_sub_ps(Float32::load(query, i), Format::load(row, i));
    const __m512 d1 = _mm512_sub_ps(Float32::load(query, i + 16), Format::load(row, i + 16));
    sum0 = _mm512_fmadd_ps(d0, d0, sum0);
    sum1 = _mm512_fmadd_ps(d1, d1, sum1);
  }
  if (i + 16 <= dim) {
    const __m512 d0 = _mm512_sub_ps(Float32::load(query, i), Format::load(row, i));
    sum0 = _mm512_fmadd_ps(d0, d0, sum0);
    i += 16;
  }
  const __mmask16 mask = mask16(dim - i);
  const __m512 d1 = _mm512_sub_ps(Float32::load(query, i, mask), Format::load(row, i, mask));
  sum1 = _mm512_fmadd_ps(d1, d1, sum1);
  return _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

template <typename Format>
MISHARDS_TARGET void innerProductAndNorm(const void* query, const void* row, size_t dim, float* product,
                                         float* rowNorm) {
  __m512 products = _mm512_setzero_ps();
  __m512 norms = _mm512_setzero_ps();
  for (size_t i = 0; i < dim; i += 16) {
    const __mmask16 mask = dim - i >= 16 ? static_cast<__mmask16>(0xffff) : mask16(dim - i);
    const __m512 r = Format::load(row, i, mask);
    products = _mm512_fmadd_ps(Float32::load(query, i, mask), r, products);
    norms = _mm512_fmadd_ps(r, r, norms);
  }
  *product = _mm512_reduce_add_ps(products);
  *rowNorm = _mm512_reduce_add_ps(norms);
}

/**
 * The instruction multiplies unsigned by signed bytes: rows are shifted by 128, and 128 times the sum of the query is taken
 * off again.
 */
MISHARDS_TARGET int32_t productOf(const int8_t* left, const int8_t* right, size_t dim) {
  const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i shifted = _mm512_setzero_si512();
  __m512i excess = _mm512_setzero_si512();
  for (size_t i = 0; i < dim; i += 64) {
    const __mmask64 mask = mask64(dim - i);
    const __m512i l = _mm512_maskz_loadu_epi8(mask, left + i);
    const __m512i r = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, right + i), sign);
    shifted = _mm512_dpbusd_epi32(shifted, r, l);
    excess = _mm512_dpbusd_epi32(excess, sign, l);
  }
  return _mm512_reduce_add_epi32(_mm512_sub_epi32(shifted, excess));
}

MISHARDS_TARGET inline __m512i wide16(const int8_t* at, __mmask32 mask) {
  return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, at));
}

MISHARDS_TARGET float innerProductInt8(const void* query, const void* row, size_t dim) {
  return static_cast<float>(productOf(static_cast<const int8_t*>(query), static_cast<const int8_t*>(row), dim));
}

MISHARDS_TARGET float squaredDistanceInt8(const void* query, const void* row, size_t dim) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  __m512i sum = _mm512_setzero_si512();
  for (size_t i = 0; i < dim; i += 32) {
    const __mmask32 mask = mask32(dim - i);
    const __m512i difference = _mm512_sub_epi16(wide16(left + i, mask), wide16(right + i, mask));
    sum = _mm512_dpwssd_epi32(sum, difference, difference);
  }
  return static_cast<float>(_mm512_reduce_add_epi32(sum));
}

MISHARDS_TARGET void innerProductAndNormInt8(const void* query, const void* row, size_t dim, float* product,
                                             float* rowNorm) {
  const auto* left = static_cast<const int8_t*>(query);
  const auto* right = static_cast<const int8_t*>(row);
  __m512i products = _mm512_setzero_si512();
  __m512i norms = _mm512_setzero_si512();
  for (size_t i = 0; i < dim; i += 32) {
    const __mmask32 mask = mask32(dim - i);
    const __m512i r = wide16(right + i, mask);
    products = _mm512_dpwssd_epi32(products, wide16(left + i, mask), r);
    norms = _mm512_dpwssd_epi32(norms, r, r);
  }
  *product = static_cast<float>(_mm512_reduce_add_epi32(products));
  *rowNorm = static_cast<float>(_mm512_reduce_add_epi32(norms));
}

/** How many ones there are, as eight sums of 64 bits: by looking up halves of bytes, and by an instruction that not every processor has. */
struct LookupCount {
  MISHARDS_TARGET static __m512i of(__m512i bits) {
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i mask = _mm512_set1_epi8(15);
    const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(bits, mask));
    const __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(bits, 4), mask));
    return _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512());
  }
};
struct PopcntCount {
  MISHARDS_TARGET_POPCNT static __m512i of(__m512i bits) { return _mm512_popcnt_epi64(bits); }
};

/** Inlined into functions of either target, and `Count` with it. */
template <typename Count>
MISHARDS_TARGET MISHARDS_INLINE float hamming(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  __m512i counts = _mm512_setzero_si512();
  for (size_t i = 0; i < bytes; i += 64) {
    const __mmask64 mask = mask64(bytes - i);
    const __m512i l = _mm512_maskz_loadu_epi8(mask, left + i);
    counts = _mm512_add_epi64(counts, Count::of(_mm512_xor_si512(l, _mm512_maskz_loadu_epi8(mask, right + i))));
  }
  return static_cast<float>(_mm512_reduce_add_epi64(counts));
}

template <typename Count>
MISHARDS_TARGET MISHARDS_INLINE float jaccard(const void* query, const void* row, size_t bytes) {
  const auto* left = static_cast<const uint8_t*>(query);
  const auto* right = static_cast<const uint8_t*>(row);
  __m512i both = _mm512_setzero_si512();
  __m512i either = _mm512_setzero_si512();
  for (size_t i = 0; i < bytes; i += 64) {
    const __mmask64 mask = mask64(bytes - i);
    const __m512i l = _mm512_maskz_loadu_epi8(mask, left + i);
    const __m512i r = _mm512_maskz_loadu_epi8(mask, right + i);
    both = _mm512_add_epi64(both, Count::of(_mm512_and_si512(l, r)));
    either = _mm512_add_epi64(either, Count::of(_mm512_or_si512(l, r)));
  }
  return jaccardDistance(static_cast<uint64_t>(_mm512_reduce_add_epi64(both)),
                         static_cast<uint64_t>(_mm512_reduce_add_epi64(either)));
}

MISHARDS_TARGET float hammingLookup(const void* query, const void* row, size_t bytes) {
  return hamming<LookupCount>(query, row, bytes);
}
MISHARDS_TARGET float jaccardLookup(const void* query, const void* row, size_t bytes) {
  return jaccard<LookupCount>(query, row, bytes);
}
MISHARDS_TARGET_POPCNT float hammingPopcnt(const void* query, const void* row, size_t bytes) {
  return hamming<PopcntCount>(query, row, bytes);
}
MISHARDS_TARGET_POPCNT float jaccardPopcnt(const void* query, const void* row, size_t bytes) {
  return jaccard<PopcntCount>(query, row, bytes);
}

bool hasPopcnt() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vpopcntdq");
}

template <typename Format>
constexpr RowKernels kRows = {innerProduct<Format>, squaredDistance<Format>, innerProductAndNorm<Format>};

}  // namespace

const FormatKernels kFormatsAvx512 = {
    kRows<Float16>,
    kRows<Bfloat16>,
    {innerProductInt8, squaredDistanceInt8, innerProductAndNormInt8},
    hasPopcnt() ? hammingPopcnt : hammingLookup,
    hasPopcnt() ? jaccardPopcnt : jaccardLookup,
};

}  // namespace mishards

#endif
