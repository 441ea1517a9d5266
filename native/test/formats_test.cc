#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "cpu.h"
#include "half.h"
#include "random.h"
#include "source.h"

using namespace mishards;

namespace {

constexpr VectorFormat kNumbers[] = {VectorFormat::kFloat16, VectorFormat::kBfloat16, VectorFormat::kInt8};

const RowKernels& kernelsOf(const Simd& simd, VectorFormat format) {
  if (format == VectorFormat::kInt8) return simd.formats->int8;
  return format == VectorFormat::kFloat16 ? simd.formats->float16 : simd.formats->bfloat16;
}

/** Values on the heap that end with the allocation and begin `shift` elements into it, so that any alignment is met. */
class Values {
 public:
  Values(VectorFormat format, size_t dim, size_t shift) : bytes_((dim + shift) * sizeOf(format)), offset_(shift * sizeOf(format)) {}

  uint8_t* data() { return bytes_.data() + offset_; }
  static size_t sizeOf(VectorFormat format) { return format == VectorFormat::kInt8 ? 1 : 2; }

 private:
  std::vector<uint8_t> bytes_;
  size_t offset_;
};

/** A moderate number in the bits of a format: exponents around 0. */
void fillRandom(VectorFormat format, Values& values, size_t dim, uint64_t& state) {
  for (size_t i = 0; i < dim; i++) {
    const uint64_t bits = mix64(state++);
    if (format == VectorFormat::kInt8) {
      values.data()[i] = static_cast<uint8_t>(bits);
      continue;
    }
    const auto sign = static_cast<uint16_t>((bits & 1) << 15);
    const uint16_t half = format == VectorFormat::kFloat16 ? static_cast<uint16_t>(0x3000 + (bits >> 8) % 0x0fff)
                                                           : static_cast<uint16_t>(0x3d80 + (bits >> 8) % 0x01ff);
    const auto value = static_cast<uint16_t>(sign | half);
    std::memcpy(values.data() + 2 * i, &value, sizeof value);
  }
}

struct Truth {
  double product = 0;
  double distance = 0;
  double norm = 0;
  double size = 0;
};

Truth truthOf(const std::vector<float>& query, const std::vector<float>& row) {
  Truth truth;
  for (size_t i = 0; i < row.size(); i++) {
    const double a = query[i];
    const double b = row[i];
    truth.product += a * b;
    truth.distance += (a - b) * (a - b);
    truth.norm += b * b;
    truth.size += a * a + b * b;
  }
  return truth;
}

void checkNumbers(const Simd& simd, VectorFormat format, size_t dim, uint64_t& state) {
  Values query(format, dim, dim % 5);
  Values row(format, dim, dim % 7);
  fillRandom(format, query, dim, state);
  fillRandom(format, row, dim, state);
  std::vector<float> floats(dim), rowFloats(dim);
  toFloats(format, query.data(), dim, floats.data());
  toFloats(format, row.data(), dim, rowFloats.data());
  const void* left = format == VectorFormat::kInt8 ? static_cast<const void*>(query.data()) : floats.data();
  const Truth truth = truthOf(floats, rowFloats);
  const RowKernels& kernels = kernelsOf(simd, format);
  // Sums of int8 are exact but for the last rounding to a float; sums of floats may be off by a rounding a term.
  const double roundings = format == VectorFormat::kInt8 ? 1 : static_cast<double>(dim);
  const double allowed = 6e-8 * roundings * truth.size + 1e-6;
  float product, norm;
  kernels.innerProductAndNorm(left, row.data(), dim, &product, &norm);
  EXPECT(std::fabs(product - truth.product) <= allowed);
  EXPECT(std::fabs(norm - truth.norm) <= allowed);
  EXPECT(std::fabs(kernels.innerProduct(left, row.data(), dim) - truth.product) <= allowed);
  EXPECT(std::fabs(kernels.squaredDistance(left, row.data(), dim) - truth.distance) <= allowed);
}

void checkBits(const Simd& simd, size_t bytes, uint64_t& state) {
  std::vector<uint8_t> left(bytes + bytes % 3), right(bytes + bytes % 5);
  uint8_t* query = left.data() + bytes % 3;
  uint8_t* row = right.data() + bytes % 5;
  uint64_t different = 0, both = 0, either = 0;
  for (size_t i = 0; i < bytes; i++) {
    query[i] = static_cast<uint8_t>(mix64(state++));
    row[i] = static_cast<uint8_t>(mix64(state++));
    for (int bit = 0; bit < 8; bit++) {
      const bool a = (query[i] >> bit) & 1;
      const bool b = (row[i] >> bit) & 1;
      different += a != b;
      both += a && b;
      either += a || b;
    }
  }
  EXPECT(simd.formats->hamming(query, row, bytes) == static_cast<float>(different));
  EXPECT(simd.formats->jaccard(query, row, bytes) == jaccardDistance(both, either));
  std::memset(query, 0, bytes);
  std::memset(row, 0, bytes);
  EXPECT(simd.formats->hamming(query, row, bytes) == 0);
  EXPECT(simd.formats->jaccard(query, row, bytes) == 1);
}

bool same(float left, float right) {
  return left == right || (std::isnan(left) && std::isnan(right));
}

}  // namespace

CHECK_CASE(halves, "every half becomes the float it stands for") {
  for (uint32_t bits = 0; bits < 65536; bits++) {
    const auto half = static_cast<uint16_t>(bits);
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    const double sign = half >> 15 ? -1 : 1;
    double truth = sign * std::ldexp(exponent == 0 ? fraction : fraction + 1024, (exponent == 0 ? 1 : exponent) - 25);
    if (exponent == 31) truth = fraction == 0 ? sign * INFINITY : NAN;
    const float found = halfToFloat(half);
    EXPECT(same(found, static_cast<float>(truth)));
    EXPECT(std::isnan(found) || std::signbit(found) == (half >> 15 == 1));
    float wide;
    const uint32_t shifted = bits << 16;
    std::memcpy(&wide, &shifted, sizeof wide);
    EXPECT(same(bfloatToFloat(half), wide));
  }
}

CHECK_CASE(numberKernels, "kernels of float16, bfloat16 and int8 agree with doubles at every length and alignment") {
  uint64_t state = checkSeed;
  for (const Simd* simd : availableSimd()) {
    for (const VectorFormat format : kNumbers) {
      for (size_t dim = 1; dim <= 200; dim++) checkNumbers(*simd, format, dim, state);
      checkNumbers(*simd, format, 32768, state);
    }
  }
}

CHECK_CASE(int8Extremes, "int8 kernels do not overflow at the largest dimension") {
  std::vector<int8_t> low(kDimMax, -128), high(kDimMax, 127);
  for (const Simd* simd : availableSimd()) {
    const RowKernels& kernels = simd->formats->int8;
    EXPECT(kernels.innerProduct(low.data(), low.data(), kDimMax) == 16384.0f * kDimMax);
    EXPECT(kernels.innerProduct(low.data(), high.data(), kDimMax) == -16256.0f * kDimMax);
    EXPECT(kernels.squaredDistance(low.data(), high.data(), kDimMax) == 65025.0f * kDimMax);
    float product, norm;
    kernels.innerProductAndNorm(high.data(), low.data(), kDimMax, &product, &norm);
    EXPECT(product == -16256.0f * kDimMax && norm == 16384.0f * kDimMax);
  }
}

CHECK_CASE(notFinite, "not-finite halves make the same not-finite scores on every instruction set") {
  for (const Simd* simd : availableSimd()) {
    for (const VectorFormat format : {VectorFormat::kFloat16, VectorFormat::kBfloat16}) {
      const bool isHalf = format == VectorFormat::kFloat16;
      const uint16_t one = isHalf ? 0x3c00 : 0x3f80;
      const uint16_t infinity = isHalf ? 0x7c00 : 0x7f80;
      const auto nan = static_cast<uint16_t>(infinity | 1);
      for (size_t dim = 1; dim <= 40; dim++) {
        const std::vector<float> query(dim, 1.0f);
        for (size_t at = 0; at < dim; at++) {
          std::vector<uint16_t> row(dim, one);
          row[at] = infinity;
          const RowKernels& kernels = kernelsOf(*simd, format);
          EXPECT(kernels.innerProduct(query.data(), row.data(), dim) == INFINITY);
          EXPECT(kernels.squaredDistance(query.data(), row.data(), dim) == INFINITY);
          row[at] = static_cast<uint16_t>(infinity | 0x8000);
          EXPECT(kernels.innerProduct(query.data(), row.data(), dim) == -INFINITY);
          row[at] = nan;
          EXPECT(std::isnan(kernels.innerProduct(query.data(), row.data(), dim)));
          EXPECT(std::isnan(kernels.squaredDistance(query.data(), row.data(), dim)));
        }
      }
    }
  }
}

CHECK_CASE(bitKernels, "bit kernels count what a loop over bits counts, at every length and alignment") {
  uint64_t state = checkSeed;
  for (const Simd* simd : availableSimd()) {
    for (size_t bytes = 1; bytes <= 300; bytes++) checkBits(*simd, bytes, state);
    checkBits(*simd, kBinaryDimMax / 8, state);
  }
}
