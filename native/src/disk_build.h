#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "disk_index.h"
#include "hnsw_builder.h"
#include "index_build.h"

namespace mishards {

struct DiskParams {
  Metric metric;
  uint32_t degree;
  uint32_t searchList;
  /** Of the bytes of a row: what may be kept of it in memory. */
  double codeShare;
  uint64_t seed;
};

/** Builds a flat graph in memory, learns codes for the rows, and writes nodes and codes one after the other. */
class DiskBuild : public IndexBuild {
 public:
  DiskBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const DiskParams& params, std::string path);

  bool nextPhase(BuildPhase* phase) override;
  void run(uint32_t slice, const std::atomic<bool>& stopped) override;
  size_t fileBytes() const override { return fileBytes_; }
  size_t peakBytes() const override;

 private:
  enum class Phase { kStart, kEncode, kInsert, kFinish, kLearn, kCode, kWrite };

  void prepareLearning();
  void findCentre(uint32_t begin, uint32_t end);
  void codeRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  void write(const std::atomic<bool>& stopped);
  void fillNodes(const LinkTable& links, uint32_t firstRow, uint32_t endRow, uint8_t* out) const;

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  std::string path_;
  DiskMeta meta_{};
  HnswBuilder graph_;
  RowSpace space_;
  ProductCoder coder_;
  CodeSample sample_{};
  /** Rows by position of the one list that coders know: the rows themselves. */
  std::vector<uint32_t> order_;
  /** The mean of the rows in the space of the codes. */
  std::vector<float> middle_;
  PageArray<uint8_t> codes_;
  PageArray<float> biases_;
  Phase phase_ = Phase::kStart;
  uint32_t items_ = 0;
  uint32_t itemsEach_ = 1;
  size_t fileBytes_ = 0;

  std::mutex mutex_;
  double squaredErrors_ = 0;
  /** The row nearest to the middle so far: where walks begin. */
  Candidate centre_{};
};

}  // namespace mishards
