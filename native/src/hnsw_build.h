#pragma once

#include "hnsw_builder.h"
#include "index_build.h"

namespace mishards {

/** The phases of building a graph: encode, insert, finish, write. */
class HnswBuild : public IndexBuild {
 public:
  HnswBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params, std::string path);

  bool nextPhase(BuildPhase* phase) override;
  void run(uint32_t slice, const std::atomic<bool>& stopped) override;
  size_t fileBytes() const override { return fileBytes_; }
  size_t peakBytes() const override { return builder_.peakBytes(); }

 private:
  enum class Phase { kStart, kEncode, kInsert, kFinish, kWrite };

  HnswBuilder builder_;
  std::string path_;
  Phase phase_ = Phase::kStart;
  uint32_t rowsEach_ = 1;
  size_t fileBytes_ = 0;
};

}  // namespace mishards
