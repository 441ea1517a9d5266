#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/formats.h"

namespace mishards {

/** Bytes the kernels load at once from codes; queries are padded with zeros to a multiple of it. */
constexpr size_t kCodeChunk = 64;

/**
 * Rows of codes. A row is `stride` bytes: the code, then at `factorOffset` two floats, its scale and its bias. Kernels
 * read whole chunks, so at least one chunk of readable memory follows the last row; what they read past the code meets
 * zeros of the query.
 */
struct CodeTable {
  const uint8_t* codes;
  size_t stride;
  size_t factorOffset;
};

/**
 * A query to compare with codes: `score(row) = offset + bias(row) + scale(row) * (scale * dot - shift)`, where dot is the
 * integer inner product of the code (unsigned) and `bytes` (signed). With 4-bit codes byte b of a row holds value b in
 * its low half and value half + b in its high half, and `bytes` holds the values of the low halves (`chunks` chunks),
 * then those of the high halves.
 */
struct CodeQuery {
  const int8_t* bytes;
  size_t chunks;
  float offset;
  float scale;
  float shift;
};

/** Rows of a block of 4-bit codes, and the number of its groups that kernels take at once. */
constexpr uint32_t kBlockRows = 32;
constexpr uint32_t kBlockGroups = 4;

/**
 * A query to compare with blocks: 16 bytes of `tables` for each of `groups` groups (a multiple of kBlockGroups). With sum the
 * sum of the bytes a row's codes look up: `score = (offset + biasWeight * bias) + scale * (step * sum + base)`.
 */
struct BlockQuery {
  const uint8_t* tables;
  size_t groups;
  float step;
  float base;
  float offset;
  float biasWeight;
};

/** Scores of a block's 32 rows; bit i of the result says whether row i's is above `threshold`. */
using BlockScores = uint32_t (*)(const uint8_t* codes, const float* scales, const float* biases, const BlockQuery& query,
                                 float threshold, float* scores);

using FloatPair = float (*)(const float* left, const float* right, size_t dim);
using FloatPairWithNorm = void (*)(const float* left, const float* right, size_t dim, float* product, float* rightNorm);
/** Of one vector with `count` rows that follow each other. */
using FloatRows = void (*)(const float* vector, const float* rows, size_t count, size_t dim, float* products);
using CodeScores = void (*)(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count,
                            float* scores);

/** One instruction set's inner loops. Float kernels accept any alignment. */
struct Simd {
  const char* name;
  FloatPair innerProduct;
  FloatPair squaredDistance;
  /** The inner product, and the squared length of `right`. */
  FloatPairWithNorm innerProductAndNorm;
  FloatRows innerProducts;
  /** `scores[i]` of row `rows[i]`, for codes of 4 and 8 bits. */
  CodeScores scores4;
  CodeScores scores8;
  BlockScores blockScores;
  /** Raw vectors of the other formats. */
  const FormatKernels* formats;
};

extern const Simd kScalar;
#if defined(__x86_64__)
extern const Simd kAvx2;
extern const Simd kAvx512;
#elif defined(__aarch64__)
extern const Simd kNeon;
#endif

inline float blockScore(const BlockQuery& query, uint32_t sum, float scale, float bias) {
  return (query.offset + query.biasWeight * bias) + scale * (query.step * static_cast<float>(sum) + query.base);
}

inline float codeScore(const CodeTable& table, const CodeQuery& query, uint32_t row, int32_t dot) {
  float factors[2];
  std::memcpy(factors, table.codes + row * table.stride + table.factorOffset, sizeof factors);
  return query.offset + factors[1] + factors[0] * (query.scale * static_cast<float>(dot) - query.shift);
}

}  // namespace mishards
