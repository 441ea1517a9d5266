// The reference: one operation at a time, so that the other sets have something true to be compared with.
#if defined(__clang__)
#pragma clang optimize off
#elif defined(__GNUC__)
#pragma GCC optimize("no-tree-vectorize", "no-tree-slp-vectorize")
#endif

#include "simd/simd.h"

namespace mishards {
namespace {

float innerProduct(const float* left, const float* right, size_t dim) {
  float sum = 0;
  for (size_t i = 0; i < dim; i++) sum += left[i] * right[i];
  return sum;
}

float squaredDistance(const float* left, const float* right, size_t dim) {
  float sum = 0;
  for (size_t i = 0; i < dim; i++) {
    const float difference = left[i] - right[i];
    sum += difference * difference;
  }
  return sum;
}

void innerProductAndNorm(const float* left, const float* right, size_t dim, float* product, float* rightNorm) {
  *product = innerProduct(left, right, dim);
  *rightNorm = innerProduct(right, right, dim);
}

void innerProducts(const float* vector, const float* rows, size_t count, size_t dim, float* products) {
  for (size_t row = 0; row < count; row++) products[row] = innerProduct(vector, rows + row * dim, dim);
}

void scores4(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    int32_t dot = 0;
    for (size_t b = 0; b < bytes; b++) {
      dot += (code[b] & 15) * query.bytes[b];
      dot += (code[b] >> 4) * query.bytes[bytes + b];
    }
    scores[i] = codeScore(table, query, rows[i], dot);
  }
}

void scores8(const CodeTable& table, const CodeQuery& query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = query.chunks * kCodeChunk;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* code = table.codes + rows[i] * table.stride;
    int32_t dot = 0;
    for (size_t b = 0; b < bytes; b++) dot += code[b] * query.bytes[b];
    scores[i] = codeScore(table, query, rows[i], dot);
  }
}

uint32_t blockScores(const uint8_t* codes, const float* scales, const float* biases, const BlockQuery& query,
                     float threshold, float* scores) {
  uint32_t better = 0;
  for (uint32_t row = 0; row < kBlockRows; row++) {
    uint32_t sum = 0;
    for (size_t group = 0; group < query.groups; group++) {
      const uint8_t both = codes[group * 16 + row % 16];
      sum += query.tables[group * 16 + (row < 16 ? both & 15 : both >> 4)];
    }
    scores[row] = blockScore(query, sum, scales[row], biases[row]);
    if (scores[row] > threshold) better |= uint32_t{1} << row;
  }
  return better;
}

}  // namespace

const Simd kScalar = {"scalar", innerProduct, squaredDistance, innerProductAndNorm, innerProducts, scores4, scores8, blockScores, &kFormatsScalar};

}  // namespace mishards
