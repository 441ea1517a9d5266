#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fuzz.h"
#include "index_build.h"
#include "row_filter.h"
#include "source.h"
#include "top_k.h"
#include "vector_file.h"
#include "vector_index.h"

namespace fuzz {

/** Every type of index with small parameters; `path` is left open. */
const std::vector<mishards::IndexPlan>& smallPlans();

std::shared_ptr<mishards::VectorFile> writeVectors(const std::string& path, const mishards::VectorRows& rows);
/** Runs every phase of a build on this thread. */
void buildIndex(const mishards::IndexPlan& plan, std::shared_ptr<mishards::VectorFile> vectors);

struct SearchSpec {
  uint32_t k;
  /** ef, and a tenth of it nprobe. */
  uint32_t effort;
  mishards::RowFilter filter;
  mishards::ScoreBounds bounds;
};

/**
 * Searches on every instruction set and checks each answer: order, bounds, filter, no row twice, and scores of the vectors the
 * index is over, unless its file may hold others (`isTrusted` false; lists hold vectors of their own).
 */
void checkSearch(const mishards::VectorIndex& index, const SearchSpec& spec, const mishards::QueryVector& query,
                 bool isTrusted = true);

/** Whether hits are such as a search for `k` may give. */
void checkHits(const std::vector<mishards::Hit>& hits, uint32_t k, const mishards::ScoreBounds& bounds);

/** Numbers in [-0.5, 0.5), the same for the same seed. */
std::vector<float> someValues(size_t count, uint64_t seed);

/** Rows of any dense format, made of such numbers. */
Bytes someRows(mishards::VectorFormat format, uint32_t dim, uint32_t rowCount, uint64_t seed);

/** Formats whose rows lie one after the other. */
constexpr uint32_t kDenseFormats = 5;

}  // namespace fuzz
