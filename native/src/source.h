#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mishards {

/** As in `src/kernel/kernel.ts`, KERNEL_METRICS; stored in index files. */
enum class Metric : uint32_t { kL2 = 0, kInnerProduct = 1, kCosine = 2, kHamming = 3, kJaccard = 4, kBm25 = 5 };
/** The first ones are those of vectors of numbers. */
constexpr uint32_t kMetricCount = 3;

/** As in `src/kernel/kernel.ts`, VECTOR_FORMATS; stored in vector files. */
enum class VectorFormat : uint32_t { kFloat32 = 0, kFloat16 = 1, kBfloat16 = 2, kInt8 = 3, kBinary = 4, kSparse = 5 };

/** Largest dimension: integer dot products of 8-bit codes, and squared distances of int8 vectors, stay in 32 bits. */
constexpr uint32_t kDimMax = 32768;
constexpr uint32_t kBinaryDimMax = 8 * kDimMax;

/** Bytes of a dense row. */
constexpr size_t rowBytesOf(VectorFormat format, uint32_t dim) {
  if (format == VectorFormat::kFloat32) return size_t{dim} * 4;
  if (format == VectorFormat::kInt8) return dim;
  return format == VectorFormat::kBinary ? dim / 8 : size_t{dim} * 2;
}

/** Whether dense rows can have this dimension. */
constexpr bool isDenseDim(VectorFormat format, uint32_t dim) {
  if (format == VectorFormat::kBinary) return dim > 0 && dim <= kBinaryDimMax && dim % 8 == 0;
  return dim > 0 && dim <= kDimMax;
}

/** Rows of dense vectors, one after the other. */
struct VectorRows {
  const void* data = nullptr;
  uint32_t rowCount = 0;
  uint32_t dim = 0;
  VectorFormat format = VectorFormat::kFloat32;

  size_t rowBytes() const { return rowBytesOf(format, dim); }
  const uint8_t* at(size_t index) const { return static_cast<const uint8_t*>(data) + index * rowBytes(); }
  /** Float32 only. */
  const float* row(size_t index) const { return static_cast<const float*>(data) + index * dim; }
  /** The numbers of a row that is not binary; in `room` unless they lie in memory as floats. */
  const float* floats(size_t index, std::vector<float>& room) const;
};

/** The floats that `dim` values of a format stand for; not for binary vectors. */
void toFloats(VectorFormat format, const void* values, size_t dim, float* out);

/** A sparse vector: `count` dimensions, ascending, and their values. */
struct SparseRow {
  const uint32_t* indices;
  const float* values;
  uint32_t count;
};

/** A query in the forms that scoring takes: `floats` unless it is binary or sparse, `raw` as it came. */
struct QueryVector {
  const float* floats = nullptr;
  const void* raw = nullptr;
  SparseRow sparse{};
};

/** The queries of one search, owned. */
class Queries {
 public:
  Queries() = default;
  Queries(VectorFormat format, uint32_t dim, const void* values, uint32_t count);
  /** Sparse ones in compressed rows. */
  Queries(const uint32_t* offsets, const uint32_t* indices, const float* values, uint32_t count);

  QueryVector at(size_t index) const;

 private:
  VectorFormat format_ = VectorFormat::kFloat32;
  uint32_t dim_ = 0;
  std::vector<float> floats_;
  std::vector<uint8_t> raw_;
  std::vector<uint32_t> offsets_;
  std::vector<uint32_t> indices_;
};

}  // namespace mishards
