#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index_build.h"
#include "memory.h"
#include "sparse_index.h"

namespace mishards {

struct SparseParams {
  Metric metric;
  SparseAlgorithm algorithm;
  bool isWand;
};

/** Numbers by dimension: open addressing, at most half full. */
class DimensionTable {
 public:
  /** The number of a dimension, given in order of first sight. */
  uint32_t insert(uint32_t dimension);
  /** Of one that was inserted. */
  uint32_t at(uint32_t dimension) const { return slots_[slotOf(dimension)].number; }
  const std::vector<uint32_t>& dimensions() const { return dimensions_; }
  size_t bytes() const { return slots_.size() * sizeof(Slot) + dimensions_.size() * sizeof(uint32_t); }

 private:
  struct Slot {
    uint32_t dimension = kNoDimension;
    uint32_t number = 0;
  };

  size_t slotOf(uint32_t dimension) const;
  void grow();

  std::vector<Slot> slots_;
  std::vector<uint32_t> dimensions_;
};

/** Turns rows into postings: counts, then fills, some rows at a time so that searches get their turn. */
class SparseBuild : public IndexBuild {
 public:
  /** Throws `INDEX_INVALID` later, from `run`, when rows do not fit the metric. */
  SparseBuild(std::shared_ptr<VectorFile> vectors, const SparseParams& params, std::string path)
      : vectors_(std::move(vectors)), params_(params), path_(std::move(path)) {}

  bool nextPhase(BuildPhase* phase) override;
  void run(uint32_t slice, const std::atomic<bool>& stopped) override;
  size_t fileBytes() const override { return fileBytes_; }
  size_t peakBytes() const override;

 private:
  enum class Step { kCount, kFill, kWrite, kDone };

  uint32_t chunkEnd(uint32_t begin) const;
  void count(uint32_t begin, uint32_t end);
  void prepareFill();
  void fill(uint32_t begin, uint32_t end);
  void write();

  std::shared_ptr<VectorFile> vectors_;
  SparseParams params_;
  std::string path_;
  Step step_ = Step::kCount;
  bool started_ = false;
  uint32_t row_ = 0;
  DimensionTable table_;
  /** By number: entries first, then where the next one goes. */
  std::vector<uint32_t> counts_;
  std::vector<uint32_t> terms_;
  std::vector<uint32_t> offsets_;
  PageArray<uint32_t> rowIds_;
  PageArray<float> values_;
  size_t fileBytes_ = 0;
};

}  // namespace mishards
