#include "row_codes.h"

#include <cmath>
#include <cstring>

namespace mishards {
namespace {

constexpr size_t kCentres = size_t{1} << kRowCodeBits;

}  // namespace

RowCodes::RowCodes(const ProductCoder& coder, uint32_t rowCount, const uint8_t* codes, const float* biases, float codeError)
    : space_(coder.space()),
      parts_(coder.parts()),
      stride_(parts_ + sizeof(float)),
      codeError_(codeError),
      rows_(size_t{rowCount} * stride_),
      table_(space_.dim() * kCentres) {
  for (size_t row = 0; row < rowCount; row++) {
    uint8_t* out = rows_.data() + row * stride_;
    std::memcpy(out, codes + row * parts_, parts_);
    std::memcpy(out + parts_, biases + row, sizeof(float));
  }
  for (uint32_t part = 0; part <= parts_; part++) partBegins_.push_back(coder.partBegin(part));
  for (uint32_t part = 0; part < parts_; part++) {
    for (uint32_t code = 0; code < kCentres; code++) {
      const float* centre = coder.centreOf(part, code);
      for (uint32_t i = partBegins_[part]; i < partBegins_[part + 1]; i++) table_[i * kCentres + code] = centre[i - partBegins_[part]];
    }
  }
}

bool RowCodes::prepare(const Simd& simd, const float* query, std::vector<float>& placed, std::vector<float>& tables,
                       RowCodeQuery* prepared) const {
  const uint32_t dim = space_.dim();
  placed.resize(dim);
  if (!space_.place(simd, query, placed.data())) return false;
  const float norm = simd.innerProduct(placed.data(), placed.data(), dim);
  const float weight = space_.isL2() ? 2 : 1;
  tables.assign(parts_ * kCentres, 0.0f);
  for (uint32_t part = 0; part < parts_; part++) {
    float* out = tables.data() + part * kCentres;
    for (uint32_t i = partBegins_[part]; i < partBegins_[part + 1]; i++) {
      const float value = weight * placed[i];
      const float* centres = table_.data() + i * kCentres;
      for (size_t code = 0; code < kCentres; code++) out[code] += value * centres[code];
    }
  }
  const float slack = kEstimateDeviations * weight * std::sqrt(norm / static_cast<float>(dim)) * codeError_;
  *prepared = {tables.data(), space_.isL2() ? -norm : 0, slack};
  return std::isfinite(slack);
}

float RowCodes::score(const RowCodeQuery& query, uint32_t row) const {
  const uint8_t* code = at(row);
  const float* table = query.tables;
  float sums[4] = {};
  uint32_t part = 0;
  for (; part + 4 <= parts_; part += 4, table += 4 * kCentres) {
    sums[0] += table[code[part]];
    sums[1] += table[kCentres + code[part + 1]];
    sums[2] += table[2 * kCentres + code[part + 2]];
    sums[3] += table[3 * kCentres + code[part + 3]];
  }
  for (; part < parts_; part++, table += kCentres) sums[0] += table[code[part]];
  float bias;
  std::memcpy(&bias, code + parts_, sizeof bias);
  return query.offset + bias + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace mishards
