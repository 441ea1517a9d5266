#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exact_score.h"
#include "fuzz.h"
#include "index_build.h"
#include "row_filter.h"
#include "source.h"
#include "sparse.h"
#include "top_k.h"
#include "vector_file.h"
#include "vector_index.h"

namespace fuzz {

/** Every type of index with small parameters, those that have kinds of codes or algorithms once for each; `path` is left open. */
const std::vector<mishards::IndexPlan>& smallPlans();

/** What a type of index is made for; as in `src/kernel/index-types.ts`. */
std::vector<mishards::VectorFormat> formatsOf(const std::string& type);
std::vector<mishards::Metric> metricsOf(const std::string& type);

constexpr mishards::Bm25 kBm25{1.2, 0.75, 8};

/** Sparse rows, owned. */
struct SparseCorpus {
  std::vector<uint32_t> offsets{0};
  std::vector<uint32_t> indices;
  std::vector<float> values;

  mishards::SparseRows rows() const {
    return {static_cast<uint32_t>(offsets.size() - 1), offsets.data(), indices.data(), values.data(), nullptr};
  }
};

/** Rows of few entries, some of none, in few dimensions; values above 0. */
SparseCorpus someSparseRows(uint32_t rowCount, uint64_t seed);

/** A file of `someRows` or `someSparseRows`, opened. */
std::shared_ptr<mishards::VectorFile> writeSome(const std::string& path, mishards::VectorFormat format, uint32_t dim,
                                                uint32_t rowCount, uint64_t seed);
/** Queries of such rows. */
mishards::Queries someQueries(mishards::VectorFormat format, uint32_t dim, uint32_t count, uint64_t seed);

/** True scores of the rows of a file. */
class RowScorer {
 public:
  RowScorer(const mishards::Simd& simd, mishards::Metric metric, const mishards::VectorFile& vectors,
            const mishards::QueryVector& query);

  float operator()(uint32_t row) const;
  /** Whether a search may give `score`: indexes add up the products of sparse rows in another order. */
  bool agrees(uint32_t row, float score) const;

 private:
  const mishards::VectorFile& vectors_;
  std::optional<mishards::ExactScorer> dense_;
  std::optional<mishards::SparseScorer> sparse_;
  /** Adds the sizes of the products. */
  std::optional<mishards::SparseScorer> sizes_;
};

std::shared_ptr<mishards::VectorFile> writeVectors(const std::string& path, const mishards::VectorRows& rows);
/** Runs every phase of a build on this thread. */
void buildIndex(const mishards::IndexPlan& plan, std::shared_ptr<mishards::VectorFile> vectors);

struct SearchSpec {
  uint32_t k;
  /** ef and search_list, and a tenth of it nprobe. */
  uint32_t effort;
  mishards::RowFilter filter;
  mishards::ScoreBounds bounds;
};

/**
 * Searches on every instruction set and checks each answer: order, bounds, filter, no row twice, and scores of the vectors the
 * index is over, unless its file may hold others (`isTrusted` false; IVF_FLAT and sparse indexes hold vectors of their own).
 */
void checkSearch(const mishards::VectorIndex& index, const mishards::VectorFile& vectors, const SearchSpec& spec,
                 const mishards::QueryVector& query, bool isTrusted = true);

/** Whether hits are such as a search for `k` may give. */
void checkHits(const std::vector<mishards::Hit>& hits, uint32_t k, const mishards::ScoreBounds& bounds);

/** Numbers in [-0.5, 0.5), the same for the same seed. */
std::vector<float> someValues(size_t count, uint64_t seed);

/** Rows of any dense format, made of such numbers. */
Bytes someRows(mishards::VectorFormat format, uint32_t dim, uint32_t rowCount, uint64_t seed);

/** Formats whose rows lie one after the other; the one after them is sparse. */
constexpr uint32_t kDenseFormats = 5;
constexpr uint32_t kFormats = kDenseFormats + 1;
/** Metrics of any format. */
constexpr uint32_t kEveryMetric = 6;

}  // namespace fuzz
