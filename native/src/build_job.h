#pragma once

#include <atomic>
#include <memory>

#include "index_build.h"
#include "thread_pool.h"

namespace mishards {

/** Builds an index in slices short enough that searches of higher priority get their turn between them. */
class BuildJob : public Job {
 public:
  BuildJob(const Simd& simd, std::shared_ptr<VectorFile> vectors, IndexPlan plan, uint32_t threads);

  void run(uint32_t slice) override;
  bool nextPhase() override;

  size_t fileBytes() const { return fileBytes_; }
  size_t peakBytes() const { return peakBytes_; }

 protected:
  /** Called from the pool's threads after slices. */
  virtual void progress(double fraction) = 0;

 private:
  void countSlice();

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  IndexPlan plan_;
  uint32_t threads_;
  std::unique_ptr<IndexBuild> build_;
  BuildPhase phase_{1, 0};
  double phaseBegin_ = 0;
  std::atomic<uint32_t> done_{0};
  size_t fileBytes_ = 0;
  size_t peakBytes_ = 0;
};

}  // namespace mishards
