#include "block.h"

#include <cstring>

namespace mishards {

Block::Block(uint32_t dim, uint32_t capacity) : values_(size_t{dim} * capacity), dim_(dim), capacity_(capacity) {}

void Block::append(const float* values, uint32_t rowCount) {
  std::memcpy(values_.data() + size_t{rowCount_} * dim_, values, size_t{rowCount} * dim_ * sizeof(float));
  rowCount_ += rowCount;
}

}  // namespace mishards
