#include <algorithm>
#include <cstring>
#include <numeric>

#include "binary_ivf.h"
#include "binary_ivf_sections.h"
#include "kmeans.h"
#include "random.h"

namespace mishards {
namespace {

constexpr uint32_t kIterationsMax = 10;
constexpr uint32_t kRowsPerList = 39;
constexpr uint32_t kSampleRowsPerList = 256;
// Comparisons of a slice: some milliseconds.
constexpr uint32_t kSliceComparisons = 1 << 17;
constexpr double kTrainEnd = 0.5;
constexpr double kAssignEnd = 0.95;

}  // namespace

BinaryIvfBuild::BinaryIvfBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const BinaryIvfParams& params,
                               std::string path)
    : simd_(simd), vectors_(std::move(vectors)), params_(params), path_(std::move(path)) {
  const uint32_t rowCount = vectors_->rows().rowCount;
  listCount_ = std::min(params.nlist, std::max<uint32_t>(1, rowCount / kRowsPerList));
  drawSample();
  drawCentres();
}

/** Distinct rows in a random order: the centres are the first of them. */
void BinaryIvfBuild::drawSample() {
  const uint32_t rowCount = vectors_->rows().rowCount;
  const auto wanted = static_cast<uint32_t>(std::min<uint64_t>(rowCount, uint64_t{kSampleRowsPerList} * listCount_));
  sample_.resize(rowCount);
  std::iota(sample_.begin(), sample_.end(), 0);
  const uint64_t stream = mix64(params_.seed ^ 0x62696e617279);
  for (uint32_t i = 0; i < wanted; i++) std::swap(sample_[i], sample_[i + mix64(stream + i) % (rowCount - i)]);
  sample_.resize(wanted);
  nearest_.assign(wanted, 0);
}

void BinaryIvfBuild::drawCentres() {
  const VectorRows& rows = vectors_->rows();
  centres_.resize(listCount_ * rows.rowBytes());
  for (uint32_t list = 0; list < std::min<size_t>(listCount_, sample_.size()); list++) {
    std::memcpy(centres_.data() + list * rows.rowBytes(), rows.at(sample_[list]), rows.rowBytes());
  }
}

uint32_t BinaryIvfBuild::items() const {
  if (step_ == Step::kTrain) return static_cast<uint32_t>(sample_.size());
  if (step_ == Step::kUpdate) return listCount_;
  return step_ == Step::kAssign ? vectors_->rows().rowCount : 1;
}

BuildPhase BinaryIvfBuild::begin(Step step) {
  step_ = step;
  moved_ = 0;
  if (step == Step::kAssign) nearest_.assign(vectors_->rows().rowCount, 0);
  double end = 1;
  if (step == Step::kAssign) end = kAssignEnd;
  if (step == Step::kTrain || step == Step::kUpdate) end = kTrainEnd * (iteration_ + 1) / kIterationsMax;
  const uint32_t each = step == Step::kUpdate ? 1 : std::max<uint32_t>(8, kSliceComparisons / listCount_);
  return {std::max<uint32_t>(1, (items() + each - 1) / each), end};
}

bool BinaryIvfBuild::nextPhase(BuildPhase* phase) {
  switch (step_) {
    case Step::kStart:
      *phase = begin(Step::kTrain);
      return true;
    case Step::kTrain:
      groupBy(nearest_, listCount_, &starts_, &members_);
      // Centres that keep their rows stay where they are; the first round has none yet.
      *phase = begin(moved_ > 0 || iteration_ == 0 ? Step::kUpdate : Step::kAssign);
      return true;
    case Step::kUpdate:
      *phase = begin(++iteration_ < kIterationsMax ? Step::kTrain : Step::kAssign);
      return true;
    case Step::kAssign:
      groupBy(nearest_, listCount_, &starts_, &members_);
      *phase = begin(Step::kWrite);
      return true;
    default:
      step_ = Step::kDone;
      return false;
  }
}

void BinaryIvfBuild::run(uint32_t slice, const std::atomic<bool>& stopped) {
  if (step_ == Step::kUpdate) return moveCentre(slice);
  if (step_ == Step::kWrite) return write();
  const uint32_t each = std::max<uint32_t>(8, kSliceComparisons / listCount_);
  const uint32_t begin = std::min(items(), slice * each);
  assign(begin, begin + std::min(items() - begin, each), stopped);
}

void BinaryIvfBuild::assign(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const VectorRows table = centres();
  uint32_t moved = 0;
  for (uint32_t item = begin; item < end && !stopped.load(std::memory_order_relaxed); item++) {
    const ExactScorer score(simd_, params_.metric, table, {nullptr, vectors_->rows().at(itemRow(item)), {}});
    uint32_t best = 0;
    float bestScore = score(table.at(0));
    for (uint32_t list = 1; list < listCount_; list++) {
      const float value = score(table.at(list));
      if (value <= bestScore) continue;
      bestScore = value;
      best = list;
    }
    moved += nearest_[item] != best ? 1 : 0;
    nearest_[item] = best;
  }
  moved_ += moved;
}

/** A list without rows keeps its centre: it may gain rows again. */
void BinaryIvfBuild::moveCentre(uint32_t list) {
  const uint32_t begin = starts_[list];
  const uint32_t count = starts_[list + 1] - begin;
  if (count == 0) return;
  const VectorRows& rows = vectors_->rows();
  std::vector<uint32_t> ones(rows.dim);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* row = rows.at(sample_[members_[begin + i]]);
    for (uint32_t bit = 0; bit < rows.dim; bit++) ones[bit] += (row[bit / 8] >> (bit % 8)) & 1;
  }
  uint8_t* centre = centres_.data() + list * rows.rowBytes();
  std::memset(centre, 0, rows.rowBytes());
  for (uint32_t bit = 0; bit < rows.dim; bit++) {
    if (2 * uint64_t{ones[bit]} > count) centre[bit / 8] = static_cast<uint8_t>(centre[bit / 8] | 1 << (bit % 8));
  }
}

void BinaryIvfBuild::write() {
  using namespace binary_ivf_sections;
  const VectorRows& rows = vectors_->rows();
  const size_t rowBytes = rows.rowBytes();
  BinaryIvfMeta meta{};
  meta.metric = static_cast<uint32_t>(params_.metric);
  meta.rowCount = rows.rowCount;
  meta.dim = rows.dim;
  meta.vectorsChecksum = vectors_->checksum();
  meta.listCount = listCount_;
  meta.nlist = params_.nlist;
  meta.seed = params_.seed;
  ContainerWriter writer(path_, FileKind::kBinaryIvf);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kCentres, centres_.data(), centres_.size());
  writer.add(kOffsets, starts_.data(), starts_.size() * sizeof(uint32_t));
  writer.add(kRows, members_.data(), members_.size() * sizeof(uint32_t));
  const size_t chunkRows = std::max<size_t>(1, (size_t{1} << 20) / rowBytes);
  writer.addChunks(kBits, members_.size() * rowBytes, chunkRows * rowBytes, [&](size_t offset, size_t size, uint8_t* out) {
    for (size_t at = 0; at < size; at += rowBytes) {
      std::memcpy(out + at, rows.at(members_[(offset + at) / rowBytes]), rowBytes);
    }
  });
  fileBytes_ = writer.finish();
}

size_t BinaryIvfBuild::peakBytes() const {
  return centres_.size() + (sample_.size() + nearest_.size() + starts_.size() + members_.size()) * sizeof(uint32_t);
}

}  // namespace mishards
