#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "memory.h"
#include "source.h"
#include "sparse.h"

namespace mishards {

/**
 * Rows in memory that grow at the end. One thread appends; searches read only rows that were there when they were asked
 * for, so no lock is needed: the queue of the pool orders the writes before the reads.
 */
class Block {
 public:
  Block(VectorFormat format, uint32_t dim, uint32_t capacity);

  VectorFormat format() const { return format_; }
  uint32_t dim() const { return dim_; }
  uint32_t capacity() const { return capacity_; }
  uint32_t rowCount() const { return rowCount_; }
  size_t bytes() const { return values_.bytes(); }
  VectorRows firstRows(uint32_t rowCount) const { return {values_.data(), rowCount, dim_, format_}; }

  SparseRows firstSparseRows(uint32_t rowCount) const { return sparse_->firstRows(rowCount); }

  /** `rowCount` dense rows that fit into the capacity. */
  void append(const void* values, uint32_t rowCount);
  void append(const SparseRows& rows);

 private:
  PageArray<uint8_t> values_;
  VectorFormat format_;
  uint32_t dim_;
  uint32_t capacity_;
  uint32_t rowCount_ = 0;
  std::unique_ptr<SparseStore> sparse_;
};

}  // namespace mishards
