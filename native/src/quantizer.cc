#include "quantizer.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace mishards {
namespace {

// Grid widths tried for 4 bits, in standard deviations; 0.335 is the best for a normal distribution (Max 1960, table 2).
constexpr float kWidths[] = {0.25f, 0.285f, 0.31f, 0.335f, 0.365f, 0.4f, 0.45f};
// Far below every real score, yet far enough from overflow that adding to it stays finite.
constexpr float kNeverFound = -FLT_MAX / 4;

float dotOf(const float* left, const float* right, size_t size) {
  float sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += left[i + lane] * right[i + lane];
  }
  for (; i < size; i++) sums[0] += left[i] * right[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

float largestOf(const float* values, size_t size) {
  float largest = 0;
  for (size_t i = 0; i < size; i++) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

void writeFactors(uint8_t* row, size_t factorOffset, float scale, float bias) {
  const float factors[2] = {scale, bias};
  std::memcpy(row + factorOffset, factors, sizeof factors);
}

}  // namespace

int8_t* PreparedQuery::reset(size_t chunks, size_t planes) {
  storage_.assign(chunks * planes * kCodeChunk + kCacheLine, 0);
  auto* start = reinterpret_cast<int8_t*>(alignUp(reinterpret_cast<uintptr_t>(storage_.data()), kCacheLine));
  code.bytes = start;
  code.chunks = chunks;
  return start;
}

Quantizer::Quantizer(Metric metric, uint32_t dim, uint32_t bits, uint64_t rotationSeed, std::vector<float> mean)
    : metric_(metric),
      dim_(dim),
      bits_(bits),
      codeBytes_(bits == 8 ? dim : (dim + 1) / 2),
      factorOffset_(alignUp(codeBytes_, sizeof(float))),
      zero_(bits == 8 ? 128.0f : 7.5f),
      mean_(std::move(mean)),
      rotation_(dim, rotationSeed) {
  const size_t used = factorOffset_ + kFactorBytes;
  // A row that starts at a cache line touches one line less on average; worth an eighth of the memory.
  const size_t lines = alignUp(used, kCacheLine);
  stride_ = lines - used <= std::max<size_t>(lines / 8, 16) ? lines : alignUp(used, 8);
  meanNorm_ = dotOf(mean_.data(), mean_.data(), dim_);
}

std::vector<float> Quantizer::meanOf(const VectorRows& rows, Metric metric) {
  std::vector<double> sums(rows.dim, 0.0);
  std::vector<float> room;
  size_t counted = 0;
  // An evenly spread sample gives the mean of any segment to well within the width of a code.
  const size_t step = std::max<size_t>(1, rows.rowCount / 65536);
  for (size_t index = 0; index < rows.rowCount; index += step) {
    const float* row = rows.floats(index, room);
    const float norm = dotOf(row, row, rows.dim);
    if (!std::isfinite(norm)) continue;
    const double scale = metric == Metric::kCosine ? (norm > 0 ? 1.0 / std::sqrt(double{norm}) : 0.0) : 1.0;
    for (size_t i = 0; i < rows.dim; i++) sums[i] += scale * row[i];
    counted++;
  }
  std::vector<float> mean(rows.dim, 0.0f);
  for (size_t i = 0; i < rows.dim && counted > 0; i++) mean[i] = static_cast<float>(sums[i] / static_cast<double>(counted));
  return mean;
}

bool Quantizer::transform(const float* vector, std::vector<float>& scratch, float* meanProduct) const {
  scratch.assign(vector, vector + dim_);
  if (metric_ == Metric::kCosine) {
    const float norm = dotOf(vector, vector, dim_);
    const float scale = norm > 0 ? 1.0f / std::sqrt(norm) : 0.0f;
    for (float& value : scratch) value *= scale;
  }
  for (size_t i = 0; i < dim_; i++) scratch[i] -= mean_[i];
  *meanProduct = dotOf(mean_.data(), scratch.data(), dim_);
  rotation_.apply(scratch.data());
  return std::isfinite(dotOf(scratch.data(), scratch.data(), dim_)) && std::isfinite(*meanProduct);
}

void Quantizer::round(const float* values, float width, uint8_t* levels) const {
  const float inverse = 1.0f / width;
  const float top = bits_ == 8 ? 255.0f : 15.0f;
  const float bottom = bits_ == 8 ? 1.0f : 0.0f;
  const float shift = zero_ + 0.5f;
  for (size_t i = 0; i < dim_; i++) {
    const float level = std::min(std::max(values[i] * inverse + shift, bottom), top);
    levels[i] = static_cast<uint8_t>(static_cast<int32_t>(level));
  }
}

float Quantizer::bestWidth(const float* values, float norm, uint8_t* levels) const {
  if (bits_ == 8) return largestOf(values, dim_) / 127.0f;
  const float deviation = std::sqrt(norm / static_cast<float>(dim_));
  float best = deviation * kWidths[0];
  float bestCosine = -1;
  for (const float candidate : kWidths) {
    round(values, deviation * candidate, levels);
    float product = 0;
    float squares = 0;
    for (size_t i = 0; i < dim_; i++) {
      const float level = static_cast<float>(levels[i]) - zero_;
      product += level * values[i];
      squares += level * level;
    }
    const float cosine = product / std::sqrt(squares);
    if (cosine > bestCosine) {
      bestCosine = cosine;
      best = deviation * candidate;
    }
  }
  return best;
}

void Quantizer::pack(const uint8_t* levels, uint8_t* code) const {
  if (bits_ == 8) {
    std::memcpy(code, levels, dim_);
    return;
  }
  for (size_t i = 0; i < codeBytes_; i++) {
    const uint8_t high = codeBytes_ + i < dim_ ? levels[codeBytes_ + i] : 0;
    code[i] = static_cast<uint8_t>(levels[i] | high << 4);
  }
}

float Quantizer::encode(const float* row, uint8_t* code, std::vector<float>& scratch) const {
  float meanProduct = 0;
  if (!transform(row, scratch, &meanProduct)) {
    writeFactors(code, factorOffset_, 0, kNeverFound);
    return 0;
  }
  const float norm = dotOf(scratch.data(), scratch.data(), dim_);
  const float bias = metric_ == Metric::kL2 ? -norm : meanProduct;
  // Below this the reciprocal of a width overflows; such a row is its own centre.
  if (norm < FLT_MIN * 1e6f) {
    writeFactors(code, factorOffset_, 0, bias);
    return norm;
  }
  std::vector<uint8_t> levels(dim_);
  round(scratch.data(), bestWidth(scratch.data(), norm, levels.data()), levels.data());
  float product = 0;
  float squares = 0;
  for (size_t i = 0; i < dim_; i++) {
    const float level = static_cast<float>(levels[i]) - zero_;
    product += level * scratch[i];
    squares += level * level;
  }
  const float scale = norm / product;
  pack(levels.data(), code);
  writeFactors(code, factorOffset_, scale, bias);
  return std::max(0.0f, scale * scale * squares - norm);
}

bool Quantizer::prepare(const float* query, PreparedQuery& prepared, std::vector<float>& scratch) const {
  float meanProduct = 0;
  if (!transform(query, scratch, &meanProduct)) return false;
  const size_t planes = bits_ == 8 ? 1 : 2;
  int8_t* bytes = prepared.reset(chunks(), planes);
  const float width = largestOf(scratch.data(), dim_) / 127.0f;
  const float inverse = width > FLT_MIN * 1e6f ? 1.0f / width : 0.0f;
  int32_t sum = 0;
  for (size_t i = 0; i < dim_; i++) {
    const auto level = static_cast<int8_t>(std::lrint(scratch[i] * inverse));
    sum += level;
    if (i < codeBytes_) {
      bytes[i] = level;
    } else {
      bytes[chunks() * kCodeChunk + i - codeBytes_] = level;
    }
  }
  const bool squared = metric_ == Metric::kL2;
  prepared.code.scale = squared ? 2 * width : width;
  prepared.code.shift = prepared.code.scale * zero_ * static_cast<float>(sum);
  prepared.code.offset = squared ? -dotOf(scratch.data(), scratch.data(), dim_) : meanProduct + meanNorm_;
  return true;
}

void Quantizer::prepareRow(const uint8_t* code, PreparedQuery& prepared) const {
  int8_t* bytes = prepared.reset(chunks(), 1);
  int32_t sum = 0;
  for (size_t i = 0; i < dim_; i++) {
    const auto level = static_cast<int8_t>(code[i] ^ 0x80);
    bytes[i] = level;
    sum += level;
  }
  float factors[2];
  std::memcpy(factors, code + factorOffset_, sizeof factors);
  const bool squared = metric_ == Metric::kL2;
  prepared.code.scale = squared ? 2 * factors[0] : factors[0];
  prepared.code.shift = prepared.code.scale * zero_ * static_cast<float>(sum);
  prepared.code.offset = squared ? factors[1] : factors[1] + meanNorm_;
}

}  // namespace mishards
