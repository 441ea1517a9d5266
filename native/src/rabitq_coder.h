#pragma once

#include "block_codes.h"
#include "rotation.h"

namespace mishards {

/**
 * One bit a dimension: the signs of the rotated residual (Gao and Long, RaBitQ, SIGMOD 2024). The scale of a row makes the
 * estimated inner product with the residual itself exact, so estimates have no bias; what is left of the error after taking the
 * centre's own error out (`bias`) shrinks with the part of the query that is not along the centre.
 */
class RabitqCoder : public ListCoder {
 public:
  RabitqCoder(const Simd& simd, const CodeSpace& space, uint64_t seed);

  size_t codeBytes(const ListLayout& layout) const override;
  size_t factorCount(const ListLayout& layout) const override;
  double encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                const std::atomic<bool>& stopped) const override;
  void describe(ContainerWriter&) const override {}
  void check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const override;
  std::unique_ptr<ListScan> scan(const Simd& simd, const float* query, uint32_t queryBits, const ListLayout& layout,
                                 const ListCodes& codes) const override;
  double cost() const override { return 0.05; }

 private:
  struct RowBuffers;
  double encodeRow(const float* vector, uint32_t list, RowBuffers& buffers, uint8_t* block, uint32_t inBlock,
                   float* factors) const;

  const Simd& simd_;
  const CodeSpace& space_;
  Rotation rotation_;
  BlockLayout blocks_;
};

}  // namespace mishards
