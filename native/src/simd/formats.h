#pragma once

#include <cstddef>
#include <cstdint>

namespace mishards {

/**
 * A query against a row: floats against the row's format, but int8 against int8 and bits against bits. Both may begin
 * wherever their element type may. `dim` counts values; of binary vectors it counts bytes.
 */
using RowPair = float (*)(const void* query, const void* row, size_t dim);
using RowPairWithNorm = void (*)(const void* query, const void* row, size_t dim, float* product, float* rowNorm);

struct RowKernels {
  RowPair innerProduct;
  RowPair squaredDistance;
  /** The inner product, and the squared length of the row. */
  RowPairWithNorm innerProductAndNorm;
};

/** One instruction set's inner loops over raw vectors that are not float32. Those of int8 and binary vectors give the same bits on every set. */
struct FormatKernels {
  RowKernels float16;
  RowKernels bfloat16;
  RowKernels int8;
  /** Bits that differ. */
  RowPair hamming;
  /** 1 - bits of both / bits of either; 1 where neither has any. */
  RowPair jaccard;
};

/** From the counts of the bits of both and of either. */
inline float jaccardDistance(uint64_t both, uint64_t either) {
  return either == 0 ? 1.0f : static_cast<float>(either - both) / static_cast<float>(either);
}

extern const FormatKernels kFormatsScalar;
#if defined(__x86_64__)
extern const FormatKernels kFormatsAvx2;
extern const FormatKernels kFormatsAvx512;
#elif defined(__aarch64__)
extern const FormatKernels kFormatsNeon;
#endif

}  // namespace mishards
