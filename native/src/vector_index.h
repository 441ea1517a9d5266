#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "row_filter.h"
#include "simd/simd.h"
#include "source.h"
#include "sparse.h"
#include "top_k.h"
#include "vector_file.h"

namespace mishards {

/** Search-time parameters of every index type; each reads its own. Ranges were checked in `src/kernel`. */
struct SearchParams {
  uint32_t ef = 64;
  uint32_t nprobe = 8;
  double dropRatio = 0;
  /** Candidates by estimate for each hit, where the index was built to refine. */
  float refineK = 1;
  /** Candidates by estimate of SCANN; 0 = as many as hits. */
  uint32_t reorderK = 0;
  /** Bits a value of the query of IVF_RABITQ; 0 = not rounded. */
  uint32_t queryBits = 0;
  /** Candidates a walk of DISKANN keeps, and nodes it reads at once. */
  uint32_t searchList = 16;
  uint32_t beamWidth = 4;
};

/** What one search of one index needs besides the query. */
struct IndexRequest {
  const Simd* simd;
  uint32_t source;
  uint32_t k;
  SearchParams params;
  RowFilter filter;
  ScoreBounds bounds;
  Bm25 bm25{};
};

/** A loaded and fully validated index, with the vectors it was built over. Immutable. */
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /** Milvus's name of the type. */
  virtual const char* type() const = 0;
  virtual Metric metric() const = 0;
  virtual const VectorRows& rows() const = 0;
  /** Of the index alone: what it maps or holds, but of DISKANN only what it holds in memory. */
  virtual size_t bytes() const = 0;
  /**
   * Offers to `result` the best rows for `query`: about min(k, allowed) of them, with true scores. Returns early when
   * `stopped`. Any thread.
   */
  virtual void search(const IndexRequest& request, const QueryVector& query, TopK& result,
                      const std::atomic<bool>& stopped) const = 0;
};

/** Opens an index file of whatever type. Throws `CORRUPT_DATA` when any byte is wrong or when it was built over other vectors. */
std::shared_ptr<VectorIndex> openIndex(const std::string& path, std::shared_ptr<VectorFile> vectors);

}  // namespace mishards
