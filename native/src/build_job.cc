#include "build_job.h"

#include <limits>

namespace mishards {

BuildJob::BuildJob(const Simd& simd, std::shared_ptr<VectorFile> vectors, IndexPlan plan, uint32_t threads)
    : simd_(simd), vectors_(std::move(vectors)), plan_(std::move(plan)), threads_(threads) {
  priority = std::numeric_limits<int32_t>::min();
  // The first slice allocates: that may take a while, so the pool does it.
  setPhase(1, 1);
}

bool BuildJob::nextPhase() {
  phaseBegin_ = phase_.progressEnd;
  if (!build_->nextPhase(&phase_)) {
    fileBytes_ = build_->fileBytes();
    peakBytes_ = build_->peakBytes();
    build_.reset();
    progress(1);
    return false;
  }
  done_ = 0;
  setPhase(phase_.slices, threads_);
  return true;
}

void BuildJob::run(uint32_t slice) {
  if (!build_) {
    build_ = startBuild(plan_, simd_, vectors_);
    return;
  }
  build_->run(slice, stopped());
  countSlice();
}

void BuildJob::countSlice() {
  const uint32_t done = done_.fetch_add(1) + 1;
  // About a hundred reports a build, and none of the end, which comes when the file is there.
  const auto fractionAt = [&](uint32_t count) {
    return phaseBegin_ + (phase_.progressEnd - phaseBegin_) * count / phase_.slices;
  };
  const auto percentAt = [&](uint32_t count) { return static_cast<int>(fractionAt(count) * 100); };
  if (done < phase_.slices && percentAt(done) != percentAt(done - 1)) progress(fractionAt(done));
}

}  // namespace mishards
