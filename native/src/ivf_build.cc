#include "ivf_build.h"

#include <algorithm>

#include "container.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kIterationsMax = 10;
// Fewer rows a list than this make lists that miss more than they save; Milvus builds fewer lists then, too.
constexpr uint32_t kRowsPerList = 39;
// Comparisons of a slice: some milliseconds.
constexpr uint32_t kSliceComparisons = 1 << 18;
constexpr uint32_t kSliceRowsMax = 4096;
constexpr double kTrainEnd = 0.5;
constexpr double kAssignEnd = 0.95;
constexpr size_t kWriteChunk = size_t{1} << 20;

uint32_t listsFor(uint32_t nlist, uint32_t rowCount) {
  return std::min(nlist, std::max<uint32_t>(1, rowCount / kRowsPerList));
}

}  // namespace

IvfBuild::IvfBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const IvfParams& params, std::string path)
    : simd_(simd),
      vectors_(std::move(vectors)),
      params_(params),
      path_(std::move(path)),
      space_(params.metric, ClusterSpace::meanOf(vectors_->rows(), params.metric)),
      centres_(simd, vectors_->rows(), space_, listsFor(params.nlist, vectors_->rows().rowCount), params.seed) {}

BuildPhase IvfBuild::begin(Phase phase) {
  phase_ = phase;
  const uint32_t lists = centres_.count();
  const uint32_t rowsEach = std::clamp<uint32_t>(kSliceComparisons / lists, 8, kSliceRowsMax);
  items_ = phase == Phase::kTrain    ? centres_.sampleCount()
           : phase == Phase::kUpdate ? lists
           : phase == Phase::kAssign ? vectors_->rows().rowCount
                                     : 1;
  itemsEach_ = phase == Phase::kUpdate ? std::max<uint32_t>(1, lists / 64) : rowsEach;
  double end = 1;
  if (phase == Phase::kAssign) end = kAssignEnd;
  if (phase == Phase::kTrain || phase == Phase::kUpdate) end = kTrainEnd * (iteration_ + 1) / kIterationsMax;
  return {std::max<uint32_t>(1, items_ / itemsEach_ + (items_ % itemsEach_ != 0 ? 1 : 0)), end};
}

bool IvfBuild::nextPhase(BuildPhase* phase) {
  switch (phase_) {
    case Phase::kStart:
      *phase = begin(Phase::kTrain);
      return true;
    case Phase::kTrain: {
      const uint32_t moved = centres_.group();
      // Centres that keep their rows stay where they are.
      *phase = begin(moved > 0 ? Phase::kUpdate : Phase::kAssign);
      break;
    }
    case Phase::kUpdate:
      centres_.settle();
      *phase = begin(++iteration_ < kIterationsMax ? Phase::kTrain : Phase::kAssign);
      break;
    case Phase::kAssign:
      groupBy(listOf_, centres_.count(), &offsets_, &order_);
      *phase = begin(Phase::kWrite);
      return true;
    case Phase::kWrite:
      return false;
  }
  if (phase_ == Phase::kAssign) listOf_.resize(vectors_->rows().rowCount);
  return true;
}

void IvfBuild::run(uint32_t slice, const std::atomic<bool>& stopped) {
  const uint32_t begin = std::min(items_, slice * itemsEach_);
  const uint32_t end = begin + std::min(items_ - begin, itemsEach_);
  switch (phase_) {
    case Phase::kStart:
      return;
    case Phase::kTrain:
      return centres_.assign(begin, end, stopped);
    case Phase::kUpdate:
      return centres_.update(begin, end);
    case Phase::kAssign:
      return assignRows(begin, end, stopped);
    case Phase::kWrite:
      return write(stopped);
  }
}

void IvfBuild::assignRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const CentroidTable table = centres_.table();
  std::vector<float> placed(table.dim);
  for (uint32_t row = begin; row < end && !stopped.load(std::memory_order_relaxed); row++) {
    // A row that is not finite is near to no centre; the first list holds it, and its own score decides.
    const bool finite = space_.place(simd_, vectors_->rows().row(row), placed.data());
    listOf_[row] = finite ? table.nearest(simd_, placed.data()) : 0;
  }
}

void IvfBuild::write(const std::atomic<bool>& stopped) {
  using namespace ivf_sections;
  const VectorRows& rows = vectors_->rows();
  IvfMeta meta{};
  meta.metric = static_cast<uint32_t>(params_.metric);
  meta.rowCount = rows.rowCount;
  meta.dim = rows.dim;
  meta.vectorsChecksum = vectors_->checksum();
  meta.codec = static_cast<uint32_t>(IvfCodec::kFlat);
  meta.listCount = centres_.count();
  meta.nlist = params_.nlist;
  meta.seed = params_.seed;
  const size_t rowBytes = size_t{rows.dim} * sizeof(float);
  const size_t chunkRows = std::max<size_t>(1, kWriteChunk / rowBytes);
  ContainerWriter writer(path_, FileKind::kIvf);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kMean, space_.mean().data(), rowBytes);
  writer.add(kCentroids, centres_.table().values, meta.listCount * rowBytes);
  writer.add(kOffsets, offsets_.data(), offsets_.size() * sizeof(uint32_t));
  writer.add(kRows, order_.data(), order_.size() * sizeof(uint32_t));
  writer.addChunks(kCodes, order_.size() * rowBytes, chunkRows * rowBytes, [&](size_t offset, size_t size, uint8_t* out) {
    if (stopped.load(std::memory_order_relaxed)) throw Failure(Code::kCancelled, "the build was cancelled");
    for (size_t at = 0; at < size; at += rowBytes) {
      std::copy_n(reinterpret_cast<const uint8_t*>(rows.row(order_[(offset + at) / rowBytes])), rowBytes, out + at);
    }
  });
  fileBytes_ = writer.finish();
}

size_t IvfBuild::peakBytes() const {
  return centres_.bytes() + (listOf_.size() + offsets_.size() + order_.size()) * sizeof(uint32_t) + kWriteChunk;
}

}  // namespace mishards
