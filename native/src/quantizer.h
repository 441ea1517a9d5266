#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "rotation.h"
#include "simd/simd.h"
#include "source.h"

namespace mishards {

/** A query as the code kernels take it, with the memory that `code` points into. */
class PreparedQuery {
 public:
  CodeQuery code{};

  /** Zeroed bytes for `chunks` chunks in `planes` planes, aligned to a cache line. */
  int8_t* reset(size_t chunks, size_t planes);

 private:
  std::vector<int8_t> storage_;
};

/**
 * Codes of 4 or 8 bits a dimension. A row is centred, rotated and rounded to a grid of its own width; its scale makes the
 * estimated inner product with the row itself exact, so that estimates have no bias (RaBitQ's estimator, section 3.2, on
 * more bits). With y = rotated(x - mean) and c' = code - zero: score(q, x) = offset(q) + bias(x) + scale(x) * <q', c'>.
 *
 * Immutable after construction; every method may be called from any thread.
 */
class Quantizer {
 public:
  Quantizer(Metric metric, uint32_t dim, uint32_t bits, uint64_t rotationSeed, std::vector<float> mean);

  /** Mean of the rows with finite values, of unit vectors for COSINE; what `mean` should be. */
  static std::vector<float> meanOf(const VectorRows& rows, Metric metric);
  /** 4 bits unless the code and factors of 8 bits fit into one cache line too. */
  static uint32_t bitsFor(uint32_t dim) { return dim + kFactorBytes <= kCacheLine ? 8 : 4; }

  uint32_t bits() const { return bits_; }
  uint32_t dim() const { return dim_; }
  Metric metric() const { return metric_; }
  const std::vector<float>& mean() const { return mean_; }
  /** Bytes of a row, factors included. */
  size_t stride() const { return stride_; }
  size_t factorOffset() const { return factorOffset_; }
  size_t chunks() const { return alignUp(codeBytes_, kCodeChunk) / kCodeChunk; }
  CodeTable table(const uint8_t* codes) const { return {codes, stride_, factorOffset_}; }

  /** Writes the code and factors of `row` to `stride()` zeroed bytes. Returns the squared error of the code. */
  float encode(const float* row, uint8_t* code, std::vector<float>& scratch) const;
  /** False when the query has values that are not finite: codes cannot tell anything then. */
  bool prepare(const float* query, PreparedQuery& prepared, std::vector<float>& scratch) const;
  /** A coded row (8 bits only) as a query: no float is touched. */
  void prepareRow(const uint8_t* code, PreparedQuery& prepared) const;

 private:
  static constexpr size_t kFactorBytes = 2 * sizeof(float);

  bool transform(const float* vector, std::vector<float>& scratch, float* meanProduct) const;
  void round(const float* values, float width, uint8_t* levels) const;
  float bestWidth(const float* values, float norm, uint8_t* levels) const;
  void pack(const uint8_t* levels, uint8_t* code) const;

  Metric metric_;
  uint32_t dim_;
  uint32_t bits_;
  size_t codeBytes_;
  size_t factorOffset_;
  size_t stride_;
  float zero_;
  float meanNorm_ = 0;
  std::vector<float> mean_;
  Rotation rotation_;
};

}  // namespace mishards
