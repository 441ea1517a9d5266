#include "sparse.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mishards {
namespace {

// Elements of a chunk: rows that trickle in share one.
constexpr size_t kChunkElements = size_t{1} << 18;

}  // namespace

double lengthOf(const SparseRow& row) {
  double length = 0;
  for (uint32_t i = 0; i < row.count; i++) length += row.values[i];
  return length;
}

uint32_t* SparseStore::room(size_t count) {
  if (chunks_.empty() || chunks_.back().size() - used_ < count) {
    chunks_.emplace_back(std::max(kChunkElements, count));
    used_ = 0;
  }
  uint32_t* start = chunks_.back().data() + used_;
  used_ += count;
  return start;
}

void SparseStore::append(const SparseRows& rows) {
  for (uint32_t index = 0; index < rows.rowCount; index++) {
    const SparseRow row = rows.row(index);
    uint32_t* indices = room(2 * size_t{row.count});
    auto* values = reinterpret_cast<float*>(indices + row.count);
    std::copy_n(row.indices, row.count, indices);
    std::copy_n(row.values, row.count, values);
    table_[rowCount_++] = {indices, values, row.count};
  }
}

SparseScorer::SparseScorer(Metric metric, const Bm25& bm25, const SparseRow& query)
    : isBm25_(metric == Metric::kBm25), bm25_(bm25) {
  // A quarter full at most, so that a dimension the query lacks is seen at the first slot nearly always.
  const size_t size = std::bit_ceil(std::max<size_t>(4, 4 * size_t{query.count}));
  slots_.resize(size);
  mask_ = size - 1;
  shift_ = static_cast<uint32_t>(32 - std::countr_zero(size));
  for (uint32_t i = 0; i < query.count; i++) {
    size_t at = (query.indices[i] * kHashFactor) >> shift_;
    while (slots_[at].dimension != kNoDimension) at = (at + 1) & mask_;
    slots_[at] = {query.indices[i], query.values[i]};
  }
}

float SparseScorer::operator()(const SparseRow& row) const {
  double score = 0;
  if (!isBm25_) {
    for (uint32_t i = 0; i < row.count; i++) score += double{weightOf(row.indices[i])} * row.values[i];
    return static_cast<float>(score);
  }
  double damping = -1;
  for (uint32_t i = 0; i < row.count; i++) {
    const float weight = weightOf(row.indices[i]);
    if (weight == 0) continue;
    // Most rows share nothing with the query, so the length waits until it is needed.
    if (damping < 0) damping = bm25_.damping(static_cast<float>(lengthOf(row)));
    score += weight * bm25_.saturation(row.values[i], damping);
  }
  return static_cast<float>(score);
}

}  // namespace mishards
