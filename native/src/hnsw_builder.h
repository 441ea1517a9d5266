#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connect_rows.h"
#include "hnsw_index.h"
#include "memory.h"
#include "quantizer.h"
#include "scratch.h"
#include "simd/simd.h"
#include "vector_file.h"

namespace mishards {

struct HnswParams {
  Metric metric;
  uint32_t degree;
  uint32_t efConstruction;
  uint64_t seed;
  HnswKind kind = HnswKind::kPlain;
  /** Of the codes that are searched; 0 = as fits the dimension. */
  uint32_t bits = 0;
  bool refine = false;
  /**
   * One level with at most `degree` links a node, as in Vamana (Subramanya et al. 2019, DiskANN): where the rule of pruning leaves
   * room, it is filled by the rule with `kRelaxation`. The file is then somebody else's: there is `connectLinks` for `write`.
   */
  bool flat = false;
};

/** One node's lock: held for a handful of loads and stores. */
class SpinLock {
 public:
  void lock() {
    while (flag_.exchange(true, std::memory_order_acquire)) {
      while (flag_.load(std::memory_order_relaxed)) relax();
    }
  }
  void unlock() { flag_.store(false, std::memory_order_release); }

 private:
  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  std::atomic<bool> flag_{false};
};

/** Links of one node on one level with their scores, so that a full list is pruned without scoring it anew. */
struct LinkList {
  uint32_t* ids;
  float* scores;
  uint16_t* count;
};

/**
 * Builds a hierarchical navigable small world graph (Malkov and Yashunin 2016, algorithms 1 to 4) on 8-bit codes.
 * `encodeRows`, then `insertRows`, then `finishRows` cover disjoint ranges, each from any number of threads; a step begins
 * when the one before it is complete. With one thread and ascending ranges the result depends on the input alone.
 */
class HnswBuilder {
 public:
  HnswBuilder(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params);

  void encodeRows(uint32_t begin, uint32_t end);
  void insertRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped);
  /** Makes room for the file; once, after all rows are inserted. */
  void prepareFinish();
  /** Cuts lists to their final length and codes the rows for the file, unless the graph is flat. */
  void finishRows(uint32_t begin, uint32_t end);
  /** Makes sure that rows can be reached and writes the file; returns its size. Once, at the end. */
  size_t write(const std::string& path);
  /** Of a flat graph, instead: makes sure that rows can be reached from `entry`. The links live as long as this does. */
  LinkTable connectLinks(uint32_t entry);

  uint32_t rowCount() const { return rowCount_; }
  size_t peakBytes() const;

 private:
  void drawLevels(uint64_t seed);
  void insert(uint32_t row, Scratch& scratch);
  uint32_t descendTo(uint32_t level, uint32_t entryUpper, uint32_t entryLevel, Scratch& scratch);
  void searchLevel(uint32_t level, uint32_t entry, Scratch& scratch);
  void chooseLinks(uint32_t level, uint32_t self, Scratch& scratch);
  void linkBack(uint32_t level, uint32_t self, Scratch& scratch);
  void addLink(uint32_t level, uint32_t from, uint32_t to, float score, Scratch& scratch);
  size_t select(uint32_t level, std::vector<Candidate>& sorted, size_t wanted, Scratch& scratch);
  bool isDiverse(uint32_t level, const Candidate& candidate, const std::vector<Candidate>& chosen, size_t count, bool relaxed,
                 Scratch& scratch);
  bool covers(float between, float toCentre, bool relaxed) const;
  void prune(uint32_t level, const LinkList& list, size_t wanted, Scratch& scratch);
  size_t copyLinks(uint32_t level, uint32_t node, uint32_t* ids);
  void scoreNodes(uint32_t level, const CodeQuery& query, const uint32_t* nodes, size_t count, Scratch& scratch);

  LinkList listOf(uint32_t level, uint32_t node);
  uint32_t rowOfNode(uint32_t level, uint32_t node) const { return level == 0 ? node : upperRow_[node]; }
  SpinLock& lockOf(uint32_t level, uint32_t node) { return locks_[rowOfNode(level, node)]; }
  const uint8_t* codeOf(uint32_t row) const { return codes_.data() + row * coder_.stride(); }

  const Simd& simd_;
  std::shared_ptr<VectorFile> vectors_;
  HnswParams params_;
  uint32_t rowCount_;
  /** Links of the bottom level when all is done, and while rows are inserted. */
  uint32_t degree0_;
  uint32_t capacity0_;

  std::vector<float> mean_;
  Quantizer coder_;
  PageArray<uint8_t> codes_;
  PageArray<uint32_t> links_;
  PageArray<float> linkScores_;
  PageArray<uint16_t> linkCounts_;
  std::unique_ptr<SpinLock[]> locks_;

  // Upper nodes: rows with a level above 0, in row order.
  std::vector<uint32_t> upperRow_;
  std::vector<uint8_t> upperLevel_;
  std::vector<size_t> upperOffset_;
  std::vector<uint32_t> upperLinks_;
  std::vector<float> upperScores_;
  std::vector<uint16_t> upperCounts_;
  std::vector<size_t> upperCountOffset_;

  // The entry point; changed only under its lock, by the few rows that rise above the top.
  std::mutex entryMutex_;
  bool hasEntry_ = false;
  uint32_t entryRow_ = 0;
  uint32_t entryUpper_ = 0;
  uint32_t topLevel_ = 0;

  // Of the file, filled by finishRows.
  Quantizer fileCoder_;
  PageArray<uint8_t> fileCodes_;
  PageArray<uint32_t> fileLinks_;
  std::mutex errorMutex_;
  double squaredErrors_ = 0;
};

}  // namespace mishards
