#include <cmath>

#include "list_coder.h"

namespace mishards {

std::vector<uint32_t> blockStarts(const uint32_t* offsets, uint32_t listCount) {
  std::vector<uint32_t> starts(size_t{listCount} + 1, 0);
  for (uint32_t list = 0; list < listCount; list++) {
    const uint32_t rows = offsets[list + 1] - offsets[list];
    starts[list + 1] = starts[list] + rows / kBlockRows + (rows % kBlockRows != 0 ? 1 : 0);
  }
  return starts;
}

bool CodeSpace::place(const Simd& simd, const float* vector, float* out) const {
  if (cluster->metric() != Metric::kInnerProduct) return cluster->place(simd, vector, out);
  std::copy_n(vector, dim(), out);
  return std::isfinite(simd.innerProduct(vector, vector, dim()));
}

bool CodeSpace::residual(const Simd& simd, const float* vector, uint32_t list, float* placed, float* out) const {
  if (!place(simd, vector, placed)) return false;
  const float* centre = direction(list);
  for (size_t i = 0; i < dim(); i++) out[i] = placed[i] - scales[list] * centre[i];
  return true;
}

}  // namespace mishards
