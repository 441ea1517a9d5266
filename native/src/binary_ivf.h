#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "exact_score.h"
#include "index_build.h"
#include "memory.h"
#include "vector_index.h"

namespace mishards {

/** The fixed part of an index file, section META. */
struct BinaryIvfMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t dim;
  uint32_t vectorsChecksum;
  /** Lists there are; at most `nlist`, which was asked for. */
  uint32_t listCount;
  uint32_t nlist;
  uint64_t seed;
  uint64_t reserved[4];
};
static_assert(sizeof(BinaryIvfMeta) == 64);

/** Binary rows in lists by their nearest centre, which is binary too. */
class BinaryIvfIndex : public VectorIndex {
 public:
  static std::shared_ptr<BinaryIvfIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override { return "BIN_IVF_FLAT"; }
  Metric metric() const override { return static_cast<Metric>(meta_.metric); }
  const VectorRows& rows() const override { return vectors_->rows(); }
  size_t bytes() const override { return pages_.size(); }
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

 private:
  BinaryIvfIndex() = default;

  bool scanIsCheaper(const IndexRequest& request, uint32_t probes) const;
  bool scanList(uint32_t list, const IndexRequest& request, const ExactScorer& score, TopK& result) const;

  Pages pages_;
  std::shared_ptr<VectorFile> vectors_;
  BinaryIvfMeta meta_{};
  VectorRows centres_;
  /** Where the rows of each list begin in `rowIds_` and `lists_`. */
  const uint32_t* offsets_ = nullptr;
  const uint32_t* rowIds_ = nullptr;
  VectorRows lists_;
};

struct BinaryIvfParams {
  Metric metric;
  uint32_t nlist;
  uint64_t seed;
};

/**
 * k-means on a sample with the metric's own distance; a centre has the bits that most of its rows have. The result depends on
 * rows, parameters and seed alone.
 */
class BinaryIvfBuild : public IndexBuild {
 public:
  BinaryIvfBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const BinaryIvfParams& params, std::string path);

  bool nextPhase(BuildPhase* phase) override;
  void run(uint32_t slice, const std::atomic<bool>& stopped) override;
  size_t fileBytes() const override { return fileBytes_; }
  size_t peakBytes() const override;

 private:
  enum class Step { kStart, kTrain, kUpdate, kAssign, kWrite, kDone };

  BuildPhase begin(Step step);
  void drawSample();
  void drawCentres();
  void assign(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  void moveCentre(uint32_t list);
  void write();
  uint32_t itemRow(uint32_t item) const { return step_ == Step::kTrain ? sample_[item] : item; }
  uint32_t items() const;
  VectorRows centres() const { return {centres_.data(), listCount_, vectors_->rows().dim, VectorFormat::kBinary}; }

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  BinaryIvfParams params_;
  std::string path_;
  uint32_t listCount_;
  Step step_ = Step::kStart;
  uint32_t iteration_ = 0;
  std::vector<uint32_t> sample_;
  std::vector<uint8_t> centres_;
  /** List of each row of the sample, then of each row. */
  std::vector<uint32_t> nearest_;
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> members_;
  std::atomic<uint32_t> moved_{0};
  size_t fileBytes_ = 0;
};

}  // namespace mishards
