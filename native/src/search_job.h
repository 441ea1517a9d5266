#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "block.h"
#include "row_filter.h"
#include "sparse.h"
#include "simd/simd.h"
#include "thread_pool.h"
#include "top_k.h"
#include "vector_file.h"
#include "vector_index.h"

namespace mishards {

/** Rows to search: exactly one of the three is set. Holding it keeps the data mapped. */
struct SearchSource {
  std::shared_ptr<VectorFile> file;
  std::shared_ptr<VectorIndex> index;
  std::shared_ptr<Block> block;
  RowFilter filter;

  VectorRows rows() const;
  SparseRows sparseRows() const;
};

struct SearchRequest {
  std::vector<SearchSource> sources;
  Metric metric;
  uint32_t dim;
  Queries queries;
  Bm25 bm25{};
  uint32_t queryCount;
  uint32_t k;
  SearchParams params;
  ScoreBounds bounds;
};

/** All queries over all sources, cut into slices of rows and queries, reduced to one top-k a query. */
class SearchJob : public Job {
 public:
  /** `finish` is left to the bridge. `threads` guides how finely the work is cut. */
  SearchJob(const Simd& simd, SearchRequest request, uint32_t threads);

  void run(uint32_t slice) override;
  bool nextPhase() override;

  const SearchRequest& request() const { return request_; }
  /** Sorted, after the job has ended well. */
  const std::vector<TopK>& results() const { return results_; }
  /** No work at all: the results are empty and the job need not be submitted. */
  bool isEmpty() const { return slices_.empty(); }

 private:
  struct Slice {
    uint32_t source;
    uint32_t rowBegin;
    uint32_t rowEnd;
    uint32_t queryBegin;
    uint32_t queryEnd;
  };

  void plan(uint32_t threads);
  void planSource(uint32_t source, uint32_t queriesEach);
  void runSparse(const Slice& slice, std::vector<TopK>& found);
  void runFlat(const Slice& slice, std::vector<TopK>& found);
  void runIndex(const Slice& slice, std::vector<TopK>& found);
  void reduce(const Slice& slice, const std::vector<TopK>& found);
  RowFilter countedFilter(uint32_t source);

  const Simd& simd_;
  SearchRequest request_;
  std::vector<Slice> slices_;
  std::vector<TopK> results_;
  std::vector<std::once_flag> counted_;
  std::mutex mutex_;
};

}  // namespace mishards
