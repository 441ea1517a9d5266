#include "build_job.h"

#include <algorithm>
#include <limits>

namespace mishards {
namespace {

constexpr uint32_t kRowsOfPass = 4096;
// Insertions take some tenths of a millisecond each.
constexpr uint32_t kRowsOfInsert = 32;
// Encoding and finishing take a small part of the time of the insertions between them.
constexpr double kInsertEnd = 0.98;

}  // namespace

BuildJob::BuildJob(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params, std::string path,
                   uint32_t threads)
    : simd_(simd), vectors_(std::move(vectors)), params_(params), path_(std::move(path)), threads_(threads) {
  priority = std::numeric_limits<int32_t>::min();
  setPhase(1, 1);
}

void BuildJob::startPhase(Phase phase) {
  phase_ = phase;
  const bool single = phase == Phase::kPrepareFinish || phase == Phase::kWrite;
  const uint32_t rowsEach = phase == Phase::kInsert ? kRowsOfInsert : kRowsOfPass;
  const uint32_t rowCount = builder_->rowCount();
  const uint32_t slices = single ? 1 : rowCount / rowsEach + (rowCount % rowsEach != 0 ? 1 : 0);
  setPhase(std::max<uint32_t>(slices, 1), threads_);
}

bool BuildJob::nextPhase() {
  if (phase_ == Phase::kWrite) return false;
  startPhase(static_cast<Phase>(static_cast<int>(phase_) + 1));
  return true;
}

void BuildJob::run(uint32_t slice) {
  if (phase_ == Phase::kAllocate) {
    builder_ = std::make_unique<HnswBuilder>(simd_, vectors_, params_);
    return;
  }
  const uint32_t rowsEach = phase_ == Phase::kInsert ? kRowsOfInsert : kRowsOfPass;
  const uint32_t begin = std::min(builder_->rowCount(), slice * rowsEach);
  const uint32_t end = std::min<uint32_t>(builder_->rowCount() - begin, rowsEach) + begin;
  switch (phase_) {
    case Phase::kAllocate:
      return;
    case Phase::kEncode:
      return builder_->encodeRows(begin, end);
    case Phase::kInsert:
      builder_->insertRows(begin, end, stopped());
      return countRows(end - begin);
    case Phase::kPrepareFinish:
      return builder_->prepareFinish();
    case Phase::kFinish:
      return builder_->finishRows(begin, end);
    case Phase::kWrite:
      fileBytes_ = builder_->write(path_);
      peakBytes_ = builder_->peakBytes();
      builder_.reset();
      return progress(1);
  }
}

void BuildJob::countRows(uint32_t rows) {
  const uint32_t total = std::max<uint32_t>(builder_->rowCount(), 1);
  const uint32_t before = inserted_.fetch_add(rows);
  // About a hundred reports a build.
  const auto percent = [&](uint32_t count) { return uint64_t{count} * 100 / total; };
  if (percent(before) != percent(before + rows)) progress(kInsertEnd * (before + rows) / total);
}

}  // namespace mishards
