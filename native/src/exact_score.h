#pragma once

#include <cmath>

#include "simd/simd.h"
#include "source.h"

namespace mishards {

/** The true score of a row for one query, by the metric's definition; greater is closer. */
class ExactScorer {
 public:
  ExactScorer(const Simd& simd, Metric metric, const VectorRows& rows, const QueryVector& query)
      : simd_(simd), metric_(metric), dim_(rows.dim) {
    switch (rows.format) {
      case VectorFormat::kFloat32:
        break;
      case VectorFormat::kFloat16:
        kernels_ = &simd.formats->float16;
        break;
      case VectorFormat::kBfloat16:
        kernels_ = &simd.formats->bfloat16;
        break;
      case VectorFormat::kInt8:
        kernels_ = &simd.formats->int8;
        break;
      default:
        distance_ = metric == Metric::kHamming ? simd.formats->hamming : simd.formats->jaccard;
        dim_ = rows.dim / 8;
    }
    const bool isRaw = rows.format == VectorFormat::kInt8 || rows.format == VectorFormat::kBinary;
    query_ = isRaw ? query.raw : query.floats;
    if (metric == Metric::kCosine) queryLength_ = std::sqrt(simd.innerProduct(query.floats, query.floats, rows.dim));
  }

  float operator()(const void* row) const {
    if (kernels_ == nullptr && distance_ == nullptr) return floatScore(static_cast<const float*>(row));
    if (metric_ == Metric::kL2) return 0.0f - kernels_->squaredDistance(query_, row, dim_);
    if (metric_ == Metric::kInnerProduct) return kernels_->innerProduct(query_, row, dim_);
    if (metric_ != Metric::kCosine) return 0.0f - distance_(query_, row, dim_);
    float product;
    float rowNorm;
    kernels_->innerProductAndNorm(query_, row, dim_, &product, &rowNorm);
    return cosine(product, rowNorm);
  }

 private:
  float floatScore(const float* row) const {
    const auto* query = static_cast<const float*>(query_);
    if (metric_ == Metric::kL2) return 0.0f - simd_.squaredDistance(query, row, dim_);
    if (metric_ == Metric::kInnerProduct) return simd_.innerProduct(query, row, dim_);
    float product;
    float rowNorm;
    simd_.innerProductAndNorm(query, row, dim_, &product, &rowNorm);
    return cosine(product, rowNorm);
  }

  float cosine(float product, float rowNorm) const {
    const float lengths = queryLength_ * std::sqrt(rowNorm);
    return lengths == 0 ? 0 : product / lengths;
  }

  const Simd& simd_;
  const RowKernels* kernels_ = nullptr;
  RowPair distance_ = nullptr;
  Metric metric_;
  /** Values, or the bytes of binary rows. */
  size_t dim_;
  const void* query_;
  float queryLength_ = 0;
};

}  // namespace mishards
