#include "ivf_build.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
constexpr double kCodedAssignEnd = 0.7;
constexpr double kLearnEnd = 0.8;
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
      centres_(simd, vectors_->rows(), space_, listsFor(params.nlist, vectors_->rows().rowCount), params.seed) {
  meta_.metric = static_cast<uint32_t>(params.metric);
  meta_.rowCount = vectors_->rows().rowCount;
  meta_.dim = vectors_->rows().dim;
  meta_.vectorsChecksum = vectors_->checksum();
  meta_.kind = static_cast<uint32_t>(params.kind);
  meta_.nlist = params.nlist;
  meta_.parts = params.parts;
  meta_.bits = params.bits;
  meta_.refine = params.refine ? 1 : 0;
  meta_.seed = params.seed;
  scales_.assign(centres_.count(), 1.0f);
  codeSpace_ = {&space_, centres_.table(), scales_.data()};
  coder_ = makeCoder(meta_, simd, codeSpace_, vectors_->rows());
}

uint32_t IvfBuild::itemsOf(Phase phase) const {
  switch (phase) {
    case Phase::kTrain:
      return centres_.sampleCount();
    case Phase::kAssign:
      return vectors_->rows().rowCount;
    case Phase::kUpdate:
    case Phase::kScale:
    case Phase::kEncode:
      return centres_.count();
    case Phase::kLearn:
      return coder_->trainSlices();
    case Phase::kStart:
    case Phase::kWrite:
      return 1;
  }
  return 1;
}

BuildPhase IvfBuild::begin(Phase phase) {
  phase_ = phase;
  const uint32_t lists = centres_.count();
  items_ = itemsOf(phase);
  itemsEach_ = 1;
  if (phase == Phase::kTrain || phase == Phase::kAssign) {
    itemsEach_ = std::clamp<uint32_t>(kSliceComparisons / lists, 8, kSliceRowsMax);
  }
  if (phase == Phase::kUpdate || phase == Phase::kScale) itemsEach_ = std::max<uint32_t>(1, lists / 64);
  double end = 1;
  if (phase == Phase::kTrain || phase == Phase::kUpdate) end = kTrainEnd * (iteration_ + 1) / kIterationsMax;
  if (phase == Phase::kAssign || phase == Phase::kScale) end = coder_ ? kCodedAssignEnd : kAssignEnd;
  if (phase == Phase::kLearn) end = kLearnEnd;
  if (phase == Phase::kEncode) end = kAssignEnd;
  return {std::max<uint32_t>(1, items_ / itemsEach_ + (items_ % itemsEach_ != 0 ? 1 : 0)), end};
}

/** What comes after a phase is done, with what it needs. */
IvfBuild::Phase IvfBuild::after(Phase phase) {
  switch (phase) {
    case Phase::kStart:
      return Phase::kTrain;
    case Phase::kTrain:
      // Centres that keep their rows stay where they are.
      if (centres_.group() > 0) return Phase::kUpdate;
      break;
    case Phase::kUpdate:
      centres_.settle();
      if (++iteration_ < kIterationsMax) return Phase::kTrain;
      break;
    case Phase::kAssign:
      layOut();
      return coder_ ? Phase::kScale : Phase::kWrite;
    case Phase::kScale:
      prepareLearning();
      if (coder_->trainSlices() > 0) return Phase::kLearn;
      prepareCodes();
      return Phase::kEncode;
    case Phase::kLearn:
      prepareCodes();
      return Phase::kEncode;
    case Phase::kEncode:
    case Phase::kWrite:
      return Phase::kWrite;
  }
  listOf_.resize(vectors_->rows().rowCount);
  return Phase::kAssign;
}

bool IvfBuild::nextPhase(BuildPhase* phase) {
  if (phase_ == Phase::kWrite) return false;
  *phase = begin(after(phase_));
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
    case Phase::kScale:
      return scaleLists(begin, end);
    case Phase::kLearn:
      return coder_->train(begin, sample_, stopped);
    case Phase::kEncode:
      return encodeLists(begin, end, stopped);
    case Phase::kWrite:
      return write(stopped);
  }
}

void IvfBuild::layOut() {
  groupBy(listOf_, centres_.count(), &offsets_, &order_);
  blocks_ = blockStarts(offsets_.data(), centres_.count());
  layout_ = {offsets_.data(), order_.data(), centres_.count(), blocks_.data()};
  codeSpace_.centroids = centres_.table();
}

/** Sampled rows for coders that learn, evenly from all lists. */
void IvfBuild::prepareLearning() {
  if (coder_->trainSlices() == 0) return;
  const size_t rowCount = order_.size();
  const size_t wanted = std::min<size_t>(rowCount, coder_->trainRows());
  sample_.rows = &vectors_->rows();
  for (size_t index = 0; index < wanted; index++) {
    const uint32_t row = order_[rowCount * index / wanted];
    sample_.members.push_back({row, listOf_[row]});
  }
}

void IvfBuild::prepareCodes() {
  sample_.members = {};
  codes_ = PageArray<uint8_t>(coder_->codeBytes(layout_));
  factors_ = PageArray<float>(coder_->factorCount(layout_));
  errors_.assign(centres_.count(), 0.0);
}

/** How long the rows of a list are, on average, along its centre. */
void IvfBuild::scaleLists(uint32_t begin, uint32_t end) {
  if (codeSpace_.isL2()) return;
  std::vector<float> placed(codeSpace_.dim());
  std::vector<float> room;
  for (uint32_t list = begin; list < end; list++) {
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t at = layout_.begin(list); at < layout_.end(list); at++) {
      if (!codeSpace_.place(simd_, vectors_->rows().floats(order_[at], room), placed.data())) continue;
      sum += simd_.innerProduct(placed.data(), codeSpace_.direction(list), codeSpace_.dim());
      count++;
    }
    const auto scale = static_cast<float>(sum / std::max<uint32_t>(count, 1));
    scales_[list] = std::isfinite(scale) ? scale : 0;
  }
}

void IvfBuild::encodeLists(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  for (uint32_t list = begin; list < end && !stopped.load(std::memory_order_relaxed); list++) {
    errors_[list] = coder_->encode(layout_, list, vectors_->rows(), codes_.data(), factors_.data(), stopped);
  }
}

void IvfBuild::assignRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const CentroidTable table = centres_.table();
  std::vector<float> placed(table.dim);
  std::vector<float> room;
  for (uint32_t row = begin; row < end && !stopped.load(std::memory_order_relaxed); row++) {
    // A row that is not finite is near to no centre; the first list holds it, and its own score decides.
    const bool finite = space_.place(simd_, vectors_->rows().floats(row, room), placed.data());
    listOf_[row] = finite ? table.nearest(simd_, placed.data()) : 0;
  }
}

void IvfBuild::write(const std::atomic<bool>& stopped) {
  using namespace ivf_sections;
  const VectorRows& rows = vectors_->rows();
  IvfMeta& meta = meta_;
  meta.listCount = centres_.count();
  const double errors = std::accumulate(errors_.begin(), errors_.end(), 0.0);
  meta.codeError = rows.rowCount == 0 ? 0 : static_cast<float>(std::sqrt(errors / rows.rowCount));
  const size_t rowBytes = rows.rowBytes();
  const size_t centreBytes = size_t{rows.dim} * sizeof(float);
  const size_t chunkRows = std::max<size_t>(1, kWriteChunk / rowBytes);
  ContainerWriter writer(path_, FileKind::kIvf);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kMean, space_.mean().data(), centreBytes);
  writer.add(kCentroids, centres_.table().values, meta.listCount * centreBytes);
  writer.add(kOffsets, offsets_.data(), offsets_.size() * sizeof(uint32_t));
  writer.add(kRows, order_.data(), order_.size() * sizeof(uint32_t));
  if (coder_) {
    writer.add(kScales, scales_.data(), scales_.size() * sizeof(float));
    writer.add(kCodes, codes_.data(), codes_.bytes());
    writer.add(kFactors, factors_.data(), factors_.bytes());
    coder_->describe(writer);
  } else {
    writer.addChunks(kCodes, order_.size() * rowBytes, chunkRows * rowBytes, [&](size_t offset, size_t size, uint8_t* out) {
      if (stopped.load(std::memory_order_relaxed)) throw Failure(Code::kCancelled, "the build was cancelled");
      for (size_t at = 0; at < size; at += rowBytes) {
        std::copy_n(rows.at(order_[(offset + at) / rowBytes]), rowBytes, out + at);
      }
    });
  }
  fileBytes_ = writer.finish();
}

size_t IvfBuild::peakBytes() const {
  return centres_.bytes() + (listOf_.size() + offsets_.size() + order_.size()) * sizeof(uint32_t) + codes_.bytes() +
         factors_.bytes() + kWriteChunk;
}

}  // namespace mishards
