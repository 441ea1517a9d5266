#include <cmath>
#include <cstring>
#include <memory>

#include "check.h"
#include "cpu.h"
#include "memory.h"
#include "random.h"

using namespace mishards;

namespace {

/** A buffer of exactly this size on the heap, so that a sanitizer sees any read past it. */
template <typename T>
std::unique_ptr<T[]> randomValues(size_t count, uint64_t& state) {
  std::unique_ptr<T[]> values(new T[count]);
  for (size_t i = 0; i < count; i++) {
    const uint64_t bits = mix64(state++);
    if constexpr (sizeof(T) == 1) {
      values[i] = static_cast<T>(bits);
    } else {
      values[i] = static_cast<T>(unitInterval(bits) * 2 - 1);
    }
  }
  return values;
}

void checkFloats(const Simd& simd, size_t dim, uint64_t& state) {
  const auto left = randomValues<float>(dim, state);
  const auto right = randomValues<float>(dim, state);
  double product = 0, distance = 0, norm = 0;
  for (size_t i = 0; i < dim; i++) {
    product += double{left[i]} * right[i];
    distance += (double{left[i]} - right[i]) * (double{left[i]} - right[i]);
    norm += double{right[i]} * right[i];
  }
  const double allowed = 1e-6 * static_cast<double>(dim) + 1e-6;
  for (size_t count : {1, 3, 4, 9}) {
    const auto rows = randomValues<float>(count * dim, state);
    std::unique_ptr<float[]> products(new float[count]);
    simd.innerProducts(left.get(), rows.get(), count, dim, products.get());
    for (size_t row = 0; row < count; row++) {
      EXPECT(std::fabs(products[row] - kScalar.innerProduct(left.get(), rows.get() + row * dim, dim)) <= allowed);
    }
  }
  float product2, norm2;
  simd.innerProductAndNorm(left.get(), right.get(), dim, &product2, &norm2);
  EXPECT(std::fabs(simd.innerProduct(left.get(), right.get(), dim) - product) <= allowed);
  EXPECT(std::fabs(simd.squaredDistance(left.get(), right.get(), dim) - distance) <= allowed);
  EXPECT(std::fabs(product2 - product) <= allowed);
  EXPECT(std::fabs(norm2 - norm) <= allowed);
}

void checkCodes(const Simd& simd, size_t codeBytes, size_t rowCount, uint64_t& state) {
  const size_t factorOffset = alignUp(codeBytes, 4);
  const size_t stride = alignUp(factorOffset + 8, 8);
  const auto codes = randomValues<uint8_t>(rowCount * stride + kCodeChunk, state);
  const size_t chunks = alignUp(codeBytes, kCodeChunk) / kCodeChunk;
  std::unique_ptr<int8_t[]> query(new int8_t[2 * chunks * kCodeChunk]());
  std::vector<uint32_t> rows;
  for (size_t row = 0; row < rowCount; row++) {
    const float factors[2] = {static_cast<float>(unitInterval(mix64(state++))), 0.5f};
    std::memcpy(codes.get() + row * stride + factorOffset, factors, sizeof factors);
    rows.push_back(static_cast<uint32_t>(mix64(state++) % rowCount));
  }
  for (size_t plane = 0; plane < 2; plane++) {
    for (size_t b = 0; b < codeBytes; b++) query[plane * chunks * kCodeChunk + b] = static_cast<int8_t>(mix64(state++));
  }
  const CodeTable table{codes.get(), stride, factorOffset};
  const CodeQuery prepared{query.get(), chunks, 1.25f, 0.01f, 3.5f};
  std::unique_ptr<float[]> expected(new float[rowCount]);
  std::unique_ptr<float[]> found(new float[rowCount]);
  kScalar.scores4(table, prepared, rows.data(), rowCount, expected.get());
  simd.scores4(table, prepared, rows.data(), rowCount, found.get());
  EXPECT(std::memcmp(expected.get(), found.get(), rowCount * sizeof(float)) == 0);
  kScalar.scores8(table, prepared, rows.data(), rowCount, expected.get());
  simd.scores8(table, prepared, rows.data(), rowCount, found.get());
  EXPECT(std::memcmp(expected.get(), found.get(), rowCount * sizeof(float)) == 0);
}

void checkBlocks(const Simd& simd, size_t groups, uint64_t& state) {
  const auto codes = randomValues<uint8_t>(groups * 16, state);
  const auto tables = randomValues<uint8_t>(groups * 16, state);
  const auto scales = randomValues<float>(kBlockRows, state);
  const auto biases = randomValues<float>(kBlockRows, state);
  scales[3] = NAN;
  const BlockQuery query{tables.get(), groups, 0.001f, -0.25f, 1.5f, 0.75f};
  std::unique_ptr<float[]> expected(new float[kBlockRows]);
  std::unique_ptr<float[]> found(new float[kBlockRows]);
  for (const float threshold : {-INFINITY, 1.0f, INFINITY}) {
    const uint32_t wanted = kScalar.blockScores(codes.get(), scales.get(), biases.get(), query, threshold, expected.get());
    EXPECT(simd.blockScores(codes.get(), scales.get(), biases.get(), query, threshold, found.get()) == wanted);
    EXPECT((wanted & 8) == 0);
    for (uint32_t row = 0; row < kBlockRows; row++) EXPECT(row == 3 || expected[row] == found[row]);
  }
}

}  // namespace

CHECK_CASE(blockKernels, "block kernels of every instruction set give the bits of the scalar one, however many groups") {
  uint64_t state = checkSeed;
  for (const Simd* simd : availableSimd()) {
    for (size_t groups = 4; groups <= 80; groups += 4) checkBlocks(*simd, groups, state);
    for (size_t groups : {252, 256, 260, 512, 516, 1024, 8192}) checkBlocks(*simd, groups, state);
  }
}

CHECK_CASE(floatKernels, "float kernels of every instruction set agree with doubles and stay inside their rows") {
  uint64_t state = checkSeed;
  for (const Simd* simd : availableSimd()) {
    for (size_t dim = 1; dim <= 140; dim++) checkFloats(*simd, dim, state);
  }
}

CHECK_CASE(codeKernels, "code kernels of every instruction set give the bits of the scalar ones") {
  uint64_t state = checkSeed;
  for (const Simd* simd : availableSimd()) {
    for (size_t bytes = 1; bytes <= 140; bytes++) checkCodes(*simd, bytes, 1 + bytes % 9, state);
  }
}
