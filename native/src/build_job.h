#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "hnsw_builder.h"
#include "thread_pool.h"

namespace mishards {

/** Builds an index in slices short enough that searches of higher priority get their turn between them. */
class BuildJob : public Job {
 public:
  BuildJob(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params, std::string path,
           uint32_t threads);

  void run(uint32_t slice) override;
  bool nextPhase() override;

  size_t fileBytes() const { return fileBytes_; }
  size_t peakBytes() const { return peakBytes_; }

 protected:
  /** Called from the pool's threads after slices. */
  virtual void progress(double fraction) = 0;

 private:
  enum class Phase { kAllocate, kEncode, kInsert, kPrepareFinish, kFinish, kWrite };

  void startPhase(Phase phase);
  void countRows(uint32_t rows);

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  HnswParams params_;
  std::string path_;
  uint32_t threads_;
  Phase phase_ = Phase::kAllocate;
  std::unique_ptr<HnswBuilder> builder_;
  std::atomic<uint32_t> inserted_{0};
  size_t fileBytes_ = 0;
  size_t peakBytes_ = 0;
};

}  // namespace mishards
