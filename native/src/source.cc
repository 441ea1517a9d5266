#include "source.h"

#include <cstring>

#include "half.h"

namespace mishards {

void toFloats(VectorFormat format, const void* values, size_t dim, float* out) {
  if (format == VectorFormat::kFloat32) {
    std::memcpy(out, values, dim * sizeof(float));
  } else if (format == VectorFormat::kInt8) {
    const auto* numbers = static_cast<const int8_t*>(values);
    for (size_t i = 0; i < dim; i++) out[i] = static_cast<float>(numbers[i]);
  } else {
    const auto* halves = static_cast<const uint16_t*>(values);
    const bool isHalf = format == VectorFormat::kFloat16;
    for (size_t i = 0; i < dim; i++) out[i] = isHalf ? halfToFloat(halves[i]) : bfloatToFloat(halves[i]);
  }
}

const float* VectorRows::floats(size_t index, std::vector<float>& room) const {
  if (format == VectorFormat::kFloat32) return row(index);
  room.resize(dim);
  toFloats(format, at(index), dim, room.data());
  return room.data();
}

Queries::Queries(VectorFormat format, uint32_t dim, const void* values, uint32_t count)
    : format_(format), dim_(dim) {
  // An empty array may have no address, which memcpy does not take.
  if (count == 0) return;
  const auto* bytes = static_cast<const uint8_t*>(values);
  if (format != VectorFormat::kBinary) {
    floats_.resize(size_t{count} * dim);
    toFloats(format, values, floats_.size(), floats_.data());
  }
  if (format == VectorFormat::kInt8 || format == VectorFormat::kBinary) {
    raw_.assign(bytes, bytes + count * rowBytesOf(format, dim));
  }
}

Queries::Queries(const uint32_t* offsets, const uint32_t* indices, const float* values, uint32_t count)
    : format_(VectorFormat::kSparse),
      floats_(values, values + offsets[count]),
      offsets_(offsets, offsets + count + 1),
      indices_(indices, indices + offsets[count]) {}

QueryVector Queries::at(size_t index) const {
  if (format_ == VectorFormat::kSparse) {
    const uint32_t begin = offsets_[index];
    return {nullptr, nullptr, {indices_.data() + begin, floats_.data() + begin, offsets_[index + 1] - begin}};
  }
  const float* floats = floats_.empty() ? nullptr : floats_.data() + index * dim_;
  return {floats, raw_.empty() ? nullptr : raw_.data() + index * rowBytesOf(format_, dim_), {}};
}

}  // namespace mishards
