#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index_build.h"
#include "ivf_index.h"
#include "kmeans.h"

namespace mishards {

struct IvfParams {
  IvfKind kind;
  Metric metric;
  uint32_t nlist;
  uint64_t seed;
  /** Of product codes. */
  uint32_t parts = 0;
  uint32_t bits = 0;
  bool refine = false;
};

/** Trains the centres on a sample, puts every row into the list of its nearest centre, and writes the lists one after the other. */
class IvfBuild : public IndexBuild {
 public:
  IvfBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const IvfParams& params, std::string path);

  bool nextPhase(BuildPhase* phase) override;
  void run(uint32_t slice, const std::atomic<bool>& stopped) override;
  size_t fileBytes() const override { return fileBytes_; }
  size_t peakBytes() const override;

 private:
  enum class Phase { kStart, kTrain, kUpdate, kAssign, kScale, kLearn, kEncode, kWrite };

  BuildPhase begin(Phase phase);
  Phase after(Phase phase);
  uint32_t itemsOf(Phase phase) const;
  void layOut();
  void prepareLearning();
  void prepareCodes();
  void scaleLists(uint32_t begin, uint32_t end);
  void encodeLists(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  void assignRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  void write(const std::atomic<bool>& stopped);

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  IvfParams params_;
  std::string path_;
  ClusterSpace space_;
  KMeans centres_;
  Phase phase_ = Phase::kStart;
  uint32_t iteration_ = 0;
  uint32_t items_ = 0;
  uint32_t itemsEach_ = 1;
  std::vector<uint32_t> listOf_;
  std::vector<uint32_t> offsets_;
  std::vector<uint32_t> order_;
  // Of kinds with codes.
  std::vector<uint32_t> blocks_;
  std::vector<float> scales_;
  ListLayout layout_{};
  CodeSpace codeSpace_;
  CodeSample sample_{};
  std::unique_ptr<ListCoder> coder_;
  PageArray<uint8_t> codes_;
  PageArray<float> factors_;
  std::vector<double> errors_;
  IvfMeta meta_{};
  size_t fileBytes_ = 0;
};

}  // namespace mishards
