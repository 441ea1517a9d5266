#include "block.h"

#include <cstring>

namespace mishards {

Block::Block(VectorFormat format, uint32_t dim, uint32_t capacity)
    : values_(rowBytesOf(format, dim) * capacity), format_(format), dim_(dim), capacity_(capacity) {
  if (format == VectorFormat::kSparse) sparse_ = std::make_unique<SparseStore>(capacity);
}

void Block::append(const SparseRows& rows) {
  sparse_->append(rows);
  rowCount_ += rows.rowCount;
}

void Block::append(const void* values, uint32_t rowCount) {
  const size_t rowBytes = rowBytesOf(format_, dim_);
  std::memcpy(values_.data() + rowCount_ * rowBytes, values, rowCount * rowBytes);
  rowCount_ += rowCount;
}

}  // namespace mishards
