#pragma once

#include <cstddef>
#include <cstdint>

namespace mishards {

/** As in `src/kernel/metric-codes.ts`; stored in index files. */
enum class Metric : uint32_t { kL2 = 0, kInnerProduct = 1, kCosine = 2 };
constexpr uint32_t kMetricCount = 3;

/** Rows of raw vectors, one after the other. */
struct VectorRows {
  const float* values;
  uint32_t rowCount;
  uint32_t dim;

  const float* row(size_t index) const { return values + index * dim; }
};

/** Largest dimension: integer dot products of 8-bit codes stay in 32 bits. */
constexpr uint32_t kDimMax = 32768;

}  // namespace mishards
