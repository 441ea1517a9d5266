#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "product_coder.h"
#include "source.h"

namespace mishards {

/** What product codes of rows, not of residuals, live in: a code space with one centre, its origin. */
class RowSpace {
 public:
  RowSpace(Metric metric, std::vector<float> mean)
      : cluster_(metric, std::move(mean)),
        origin_(cluster_.mean().size(), 0.0f),
        codes_{&cluster_, {origin_.data(), nullptr, 1, static_cast<uint32_t>(origin_.size())}, &kScale} {}
  RowSpace(const RowSpace&) = delete;
  RowSpace& operator=(const RowSpace&) = delete;

  const CodeSpace& codes() const { return codes_; }
  const std::vector<float>& mean() const { return cluster_.mean(); }

 private:
  static constexpr float kScale = 1;

  ClusterSpace cluster_;
  std::vector<float> origin_;
  CodeSpace codes_;
};

constexpr uint32_t kRowCodeBits = 8;

/** A query on the codes of rows; the memory is its caller's. */
struct RowCodeQuery {
  /** 256 values a part, times the metric's weight. */
  const float* tables;
  float offset;
  /** How far an estimate may be off, for all but a few rows. */
  float slack;
};

/** Product codes of all rows in anonymous memory, a row's bias beside its code, so that an estimate reads one place. */
class RowCodes {
 public:
  /** From sections CODE, FACT and BOOK, which were checked. */
  RowCodes(const ProductCoder& coder, uint32_t rowCount, const uint8_t* codes, const float* biases, float codeError);

  size_t stride() const { return stride_; }
  size_t bytes() const { return rows_.bytes() + table_.size() * sizeof(float); }
  const uint8_t* at(uint32_t row) const { return rows_.data() + size_t{row} * stride_; }

  /** False for a query that codes cannot tell anything about, because it is not finite. `placed` and `tables` are room. */
  bool prepare(const Simd& simd, const float* query, std::vector<float>& placed, std::vector<float>& tables,
               RowCodeQuery* prepared) const;
  /** The estimated score; not a number for a row that is not finite. */
  float score(const RowCodeQuery& query, uint32_t row) const;

 private:
  const CodeSpace& space_;
  uint32_t parts_;
  size_t stride_;
  float codeError_;
  PageArray<uint8_t> rows_;
  std::vector<uint32_t> partBegins_;
  /** The centres of all parts with their values transposed: 256 of the first dimension, then of the next. */
  std::vector<float> table_;
};

}  // namespace mishards
