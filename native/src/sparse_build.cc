#include "sparse_build.h"

#include <algorithm>
#include <numeric>

#include "container.h"
#include "failure.h"

namespace mishards {
namespace {

// Entries of a slice: some milliseconds.
constexpr uint32_t kSliceEntries = 1 << 18;
constexpr uint32_t kHashFactor = 0x9e3779b1;
constexpr size_t kSlotsMin = 1 << 10;
constexpr double kCountEnd = 0.4;
constexpr double kFillEnd = 0.95;

}  // namespace

size_t DimensionTable::slotOf(uint32_t dimension) const {
  const size_t mask = slots_.size() - 1;
  size_t at = (dimension * kHashFactor ^ dimension >> 15) & mask;
  while (slots_[at].dimension != dimension && slots_[at].dimension != kNoDimension) at = (at + 1) & mask;
  return at;
}

void DimensionTable::grow() {
  std::vector<Slot> old(std::max(kSlotsMin, 2 * slots_.size()));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.dimension != kNoDimension) slots_[slotOf(slot.dimension)] = slot;
  }
}

uint32_t DimensionTable::insert(uint32_t dimension) {
  if (2 * dimensions_.size() >= slots_.size()) grow();
  Slot& slot = slots_[slotOf(dimension)];
  if (slot.dimension == kNoDimension) {
    slot = {dimension, static_cast<uint32_t>(dimensions_.size())};
    dimensions_.push_back(dimension);
  }
  return slot.number;
}

/** At least one row, and about as many as a slice takes. */
uint32_t SparseBuild::chunkEnd(uint32_t begin) const {
  const SparseRows& rows = vectors_->sparseRows();
  const uint32_t* end = rows.offsets + rows.rowCount + 1;
  const uint64_t wanted = uint64_t{rows.offsets[begin]} + kSliceEntries;
  const uint32_t* found = std::upper_bound(rows.offsets + begin, end, wanted);
  return std::max(begin + 1, static_cast<uint32_t>(found - rows.offsets) - 1);
}

bool SparseBuild::nextPhase(BuildPhase* phase) {
  const uint32_t rowCount = vectors_->sparseRows().rowCount;
  if (started_) {
    if (step_ == Step::kWrite) step_ = Step::kDone;
    if (step_ == Step::kFill && row_ == rowCount) step_ = Step::kWrite;
    if (step_ == Step::kCount && row_ == rowCount) {
      prepareFill();
      step_ = Step::kFill;
      row_ = 0;
      if (rowCount == 0) step_ = Step::kWrite;
    }
  }
  started_ = true;
  const double share = rowCount == 0 ? 1 : static_cast<double>(row_) / rowCount;
  double end = 1;
  if (step_ == Step::kCount) end = kCountEnd * share;
  if (step_ == Step::kFill) end = kCountEnd + (kFillEnd - kCountEnd) * share;
  *phase = {1, end};
  return step_ != Step::kDone;
}

void SparseBuild::run(uint32_t, const std::atomic<bool>&) {
  if (step_ == Step::kWrite) return write();
  if (row_ == vectors_->sparseRows().rowCount) return;
  const uint32_t end = chunkEnd(row_);
  if (step_ == Step::kCount) {
    count(row_, end);
  } else {
    fill(row_, end);
  }
  row_ = end;
}

void SparseBuild::count(uint32_t begin, uint32_t end) {
  for (uint32_t index = begin; index < end; index++) {
    const SparseRow row = vectors_->sparseRows().row(index);
    for (uint32_t i = 0; i < row.count; i++) {
      if (params_.metric == Metric::kBm25 && row.values[i] < 0) {
        throw Failure(Code::kIndexInvalid, "row " + std::to_string(index) + " has a value below 0; BM25 takes frequencies");
      }
      // Zeros add to no score.
      if (row.values[i] == 0) continue;
      const uint32_t number = table_.insert(row.indices[i]);
      if (number == counts_.size()) counts_.push_back(0);
      counts_[number]++;
    }
  }
}

void SparseBuild::prepareFill() {
  const std::vector<uint32_t>& dimensions = table_.dimensions();
  std::vector<uint32_t> order(dimensions.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return dimensions[a] < dimensions[b]; });
  uint32_t offset = 0;
  offsets_.push_back(0);
  for (const uint32_t number : order) {
    terms_.push_back(dimensions[number]);
    const uint32_t begin = offset;
    offset += counts_[number];
    counts_[number] = begin;
    offsets_.push_back(offset);
  }
  rowIds_ = PageArray<uint32_t>(offset);
  values_ = PageArray<float>(offset);
}

void SparseBuild::fill(uint32_t begin, uint32_t end) {
  for (uint32_t index = begin; index < end; index++) {
    const SparseRow row = vectors_->sparseRows().row(index);
    for (uint32_t i = 0; i < row.count; i++) {
      if (row.values[i] == 0) continue;
      const uint32_t at = counts_[table_.at(row.indices[i])]++;
      rowIds_[at] = index;
      values_[at] = row.values[i];
    }
  }
}

void SparseBuild::write() {
  using namespace sparse_sections;
  SparseMeta meta{};
  meta.metric = static_cast<uint32_t>(params_.metric);
  meta.rowCount = vectors_->sparseRows().rowCount;
  meta.termCount = static_cast<uint32_t>(terms_.size());
  meta.vectorsChecksum = vectors_->checksum();
  meta.algorithm = static_cast<uint32_t>(params_.algorithm);
  meta.isWand = params_.isWand ? 1 : 0;
  meta.entryCount = rowIds_.size();
  ContainerWriter writer(path_, FileKind::kSparse);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kTerms, terms_.data(), terms_.size() * sizeof(uint32_t));
  writer.add(kOffsets, offsets_.data(), offsets_.size() * sizeof(uint32_t));
  writer.add(kRows, rowIds_.data(), rowIds_.bytes());
  writer.add(kValues, values_.data(), values_.bytes());
  fileBytes_ = writer.finish();
}

size_t SparseBuild::peakBytes() const {
  const size_t numbers = counts_.size() + terms_.size() + offsets_.size();
  return table_.bytes() + numbers * sizeof(uint32_t) + rowIds_.bytes() + values_.bytes();
}

}  // namespace mishards
