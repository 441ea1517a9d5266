#pragma once

#include <cmath>

#include "simd/simd.h"
#include "source.h"

namespace mishards {

/** The true score of a row for one query, by the metric's definition; greater is closer. */
class ExactScorer {
 public:
  ExactScorer(const Simd& simd, Metric metric, const float* query, uint32_t dim)
      : simd_(simd), metric_(metric), query_(query), dim_(dim) {
    if (metric == Metric::kCosine) queryLength_ = std::sqrt(simd.innerProduct(query, query, dim));
  }

  float operator()(const float* row) const {
    if (metric_ == Metric::kL2) return 0.0f - simd_.squaredDistance(query_, row, dim_);
    if (metric_ == Metric::kInnerProduct) return simd_.innerProduct(query_, row, dim_);
    float product;
    float rowNorm;
    simd_.innerProductAndNorm(query_, row, dim_, &product, &rowNorm);
    const float lengths = queryLength_ * std::sqrt(rowNorm);
    return lengths == 0 ? 0 : product / lengths;
  }

 private:
  const Simd& simd_;
  Metric metric_;
  const float* query_;
  uint32_t dim_;
  float queryLength_ = 0;
};

}  // namespace mishards
