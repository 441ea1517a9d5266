#include "disk_build.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kRowsOfPass = 4096;
// Insertions take some tenths of a millisecond each, coding a row some hundredths.
constexpr uint32_t kRowsOfInsert = 32;
constexpr uint32_t kRowsOfCoding = 512;
constexpr double kEncodeEnd = 0.01;
constexpr double kInsertEnd = 0.85;
constexpr double kFinishEnd = 0.86;
constexpr double kLearnEnd = 0.93;
constexpr double kCodeEnd = 0.99;
// Rows that codes are learnt from, and what they may take: fewer of long vectors.
constexpr size_t kLearnRows = 8192;
constexpr size_t kLearnBytes = size_t{256} << 20;
constexpr size_t kWriteChunk = size_t{1} << 20;
// Codes of fewer bytes lead nowhere, and rows where they are more than their share are short anyway.
constexpr uint32_t kPartsMin = 8;

/** As many parts as the share of a row leaves room for beside the bias. */
uint32_t partsOf(const VectorRows& rows, double codeShare) {
  const auto budget = static_cast<int64_t>(codeShare * static_cast<double>(rows.rowBytes())) - static_cast<int64_t>(sizeof(float));
  return static_cast<uint32_t>(std::clamp<int64_t>(budget, std::min(kPartsMin, rows.dim), rows.dim));
}

HnswParams graphParams(const DiskParams& params) {
  return {.metric = params.metric,
          .degree = params.degree,
          .efConstruction = params.searchList,
          .seed = params.seed,
          .flat = true};
}

}  // namespace

DiskBuild::DiskBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const DiskParams& params, std::string path)
    : simd_(simd),
      vectors_(std::move(vectors)),
      path_(std::move(path)),
      graph_(simd, vectors_, graphParams(params)),
      space_(params.metric, ClusterSpace::meanOf(vectors_->rows(), params.metric)),
      coder_(simd, space_.codes(), partsOf(vectors_->rows(), params.codeShare), kRowCodeBits, params.seed),
      order_(vectors_->rows().rowCount),
      middle_(params.metric == Metric::kL2 ? std::vector<float>(vectors_->rows().dim, 0.0f)
                                           : Quantizer::meanOf(vectors_->rows(), params.metric)),
      centre_{-INFINITY, 0} {
  const VectorRows& rows = vectors_->rows();
  meta_.metric = static_cast<uint32_t>(params.metric);
  meta_.rowCount = rows.rowCount;
  meta_.dim = rows.dim;
  meta_.vectorsChecksum = vectors_->checksum();
  meta_.degree = params.degree;
  meta_.searchList = params.searchList;
  meta_.parts = coder_.parts();
  meta_.seed = params.seed;
  std::iota(order_.begin(), order_.end(), 0u);
}

bool DiskBuild::nextPhase(BuildPhase* phase) {
  if (phase_ == Phase::kWrite) return false;
  phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
  static constexpr double kEnds[] = {0, kEncodeEnd, kInsertEnd, kFinishEnd, kLearnEnd, kCodeEnd, 1};
  items_ = meta_.rowCount;
  itemsEach_ = kRowsOfPass;
  if (phase_ == Phase::kInsert) itemsEach_ = kRowsOfInsert;
  if (phase_ == Phase::kFinish) graph_.prepareFinish();
  if (phase_ == Phase::kLearn) {
    prepareLearning();
    items_ = coder_.trainSlices();
    itemsEach_ = 1;
  }
  if (phase_ == Phase::kCode) {
    sample_.members = {};
    codes_ = PageArray<uint8_t>(size_t{meta_.rowCount} * meta_.parts);
    biases_ = PageArray<float>(meta_.rowCount);
    itemsEach_ = kRowsOfCoding;
  }
  if (phase_ == Phase::kWrite) items_ = 1;
  *phase = {std::max<uint32_t>(1, items_ / itemsEach_ + (items_ % itemsEach_ != 0 ? 1 : 0)), kEnds[static_cast<int>(phase_)]};
  return true;
}

void DiskBuild::run(uint32_t slice, const std::atomic<bool>& stopped) {
  const uint32_t begin = std::min(items_, slice * itemsEach_);
  const uint32_t end = begin + std::min(items_ - begin, itemsEach_);
  switch (phase_) {
    case Phase::kStart:
      return;
    case Phase::kEncode:
      return graph_.encodeRows(begin, end);
    case Phase::kInsert:
      return graph_.insertRows(begin, end, stopped);
    case Phase::kFinish:
      graph_.finishRows(begin, end);
      return findCentre(begin, end);
    case Phase::kLearn:
      if (begin < end) coder_.train(begin, sample_, stopped);
      return;
    case Phase::kCode:
      return codeRows(begin, end, stopped);
    case Phase::kWrite:
      return write(stopped);
  }
}

/** Sampled rows, evenly from all. */
void DiskBuild::prepareLearning() {
  const size_t rowCount = meta_.rowCount;
  const size_t rowsMax = std::min(kLearnRows, kLearnBytes / (size_t{meta_.dim} * sizeof(float)));
  const size_t wanted = std::min(rowCount, rowsMax);
  sample_.rows = &vectors_->rows();
  for (size_t index = 0; index < wanted; index++) {
    sample_.members.push_back({static_cast<uint32_t>(rowCount * index / wanted), 0});
  }
}

/** A walk may begin anywhere; the shortest ways begin in the middle. */
void DiskBuild::findCentre(uint32_t begin, uint32_t end) {
  std::vector<float> placed(meta_.dim);
  std::vector<float> room;
  Candidate best{-INFINITY, 0};
  for (uint32_t row = begin; row < end; row++) {
    if (!space_.codes().place(simd_, vectors_->rows().floats(row, room), placed.data())) continue;
    const float score = -simd_.squaredDistance(placed.data(), middle_.data(), meta_.dim);
    if (score > best.score) best = {score, row};
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (best.score > centre_.score || (best.score == centre_.score && best.id < centre_.id)) centre_ = best;
}

void DiskBuild::codeRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const uint32_t offsets[] = {begin, end};
  const ListLayout slice{offsets, order_.data(), 1, nullptr};
  const double errors = coder_.encode(slice, 0, vectors_->rows(), codes_.data(), biases_.data(), stopped);
  const std::lock_guard<std::mutex> lock(mutex_);
  squaredErrors_ += errors;
}

void DiskBuild::fillNodes(const LinkTable& links, uint32_t firstRow, uint32_t endRow, uint8_t* out) const {
  const VectorRows& rows = vectors_->rows();
  const NodeLayout layout(rows.rowBytes(), meta_.degree, meta_.rowCount);
  const size_t start = layout.offsetOf(firstRow);
  for (uint32_t row = firstRow; row < endRow; row++) {
    uint8_t* node = out + (layout.offsetOf(row) - start);
    std::copy_n(rows.at(row), rows.rowBytes(), node);
    std::copy_n(reinterpret_cast<const uint8_t*>(links.of(row)), meta_.degree * sizeof(uint32_t), node + layout.linksAt());
  }
}

void DiskBuild::write(const std::atomic<bool>& stopped) {
  using namespace disk_sections;
  const NodeLayout layout(vectors_->rows().rowBytes(), meta_.degree, meta_.rowCount);
  const LinkTable links = graph_.connectLinks(centre_.id);
  meta_.entryRow = centre_.id;
  meta_.codeError = meta_.rowCount == 0 ? 0 : static_cast<float>(std::sqrt(squaredErrors_ / meta_.rowCount));
  std::vector<uint8_t> head(kMetaBytes, 0);
  std::copy_n(reinterpret_cast<const uint8_t*>(&meta_), sizeof meta_, head.begin());
  const auto groups = static_cast<uint32_t>(std::max<size_t>(1, kWriteChunk / layout.groupBytes()));
  ContainerWriter writer(path_, FileKind::kDisk);
  writer.add(kMeta, head.data(), head.size());
  writer.addChunks(kNodes, layout.bytes(), groups * layout.groupBytes(), [&](size_t offset, size_t size, uint8_t* out) {
    if (stopped.load(std::memory_order_relaxed)) throw Failure(Code::kCancelled, "the build was cancelled");
    std::fill_n(out, size, uint8_t{0});
    const size_t first = offset / layout.groupBytes() * layout.groupNodes();
    const size_t end = std::min<size_t>(first + size / layout.groupBytes() * layout.groupNodes(), meta_.rowCount);
    fillNodes(links, static_cast<uint32_t>(first), static_cast<uint32_t>(end), out);
  });
  writer.add(kMean, space_.mean().data(), space_.mean().size() * sizeof(float));
  writer.add(kCodes, codes_.data(), codes_.bytes());
  writer.add(kFactors, biases_.data(), biases_.bytes());
  coder_.describe(writer);
  fileBytes_ = writer.finish();
}

size_t DiskBuild::peakBytes() const {
  return graph_.peakBytes() + order_.size() * sizeof(uint32_t) + codes_.bytes() + biases_.bytes() + kWriteChunk;
}

}  // namespace mishards
