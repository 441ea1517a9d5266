#pragma once

#include <memory>
#include <string>
#include <vector>

#include "container.h"
#include "memory.h"
#include "sparse.h"
#include "vector_index.h"

namespace mishards {

/** How an inverted index is searched; as the choices of `inverted_index_algo` in `src/kernel/index-types.ts`. */
enum class SparseAlgorithm : uint32_t { kMaxScore = 0, kWand = 1, kNaive = 2 };
constexpr uint32_t kSparseAlgorithmCount = 3;

/** The fixed part of an index file, section META. */
struct SparseMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t termCount;
  uint32_t vectorsChecksum;
  uint32_t algorithm;
  /** 1 for SPARSE_WAND, 0 for SPARSE_INVERTED_INDEX. */
  uint32_t isWand;
  uint64_t entryCount;
  uint64_t reserved[4];
};
static_assert(sizeof(SparseMeta) == 64);

/** Sections of the file. */
namespace sparse_sections {
constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kTerms = sectionTag("TERM");
constexpr uint32_t kOffsets = sectionTag("TOFF");
constexpr uint32_t kRows = sectionTag("ROWS");
constexpr uint32_t kValues = sectionTag("VALS");
}  // namespace sparse_sections

/** What bounds the contributions of a block of postings. */
struct PostingBlock {
  float max;
  float min;
  /** Of the rows in it; 0 unless the metric is BM25. */
  float lengthMin;
  uint32_t firstRow;
};

constexpr uint32_t kPostingBlock = 128;

/** The rows that have a dimension, ascending, with their values. */
struct Postings {
  const uint32_t* rows = nullptr;
  const float* values = nullptr;
  uint32_t count = 0;
  const PostingBlock* blocks = nullptr;
};

/** An inverted index over sparse vectors. What bounds its postings is computed on opening: no file can lie about it. */
class SparseIndex : public VectorIndex {
 public:
  static std::shared_ptr<SparseIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override { return meta_.isWand != 0 ? "SPARSE_WAND" : "SPARSE_INVERTED_INDEX"; }
  Metric metric() const override { return static_cast<Metric>(meta_.metric); }
  const VectorRows& rows() const override { return vectors_->rows(); }
  const SparseRows& sparseRows() const { return vectors_->sparseRows(); }
  size_t bytes() const override;
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

  const SparseMeta& meta() const { return meta_; }
  /** Empty for a dimension that no row has. */
  Postings postingsOf(uint32_t dimension) const;
  /** Sums of the rows; for BM25 only. */
  const float* lengths() const { return lengths_.data(); }

 private:
  SparseIndex() = default;

  void check(const ContainerReader& reader) const;
  void computeLengths();
  void computeBlocks();

  Pages pages_;
  std::shared_ptr<VectorFile> vectors_;
  SparseMeta meta_{};
  const uint32_t* terms_ = nullptr;
  const uint32_t* offsets_ = nullptr;
  const uint32_t* rowIds_ = nullptr;
  const float* values_ = nullptr;
  std::vector<float> lengths_;
  std::vector<PostingBlock> blocks_;
  /** Where the blocks of each term begin. */
  std::vector<uint32_t> firstBlock_;
};

}  // namespace mishards
