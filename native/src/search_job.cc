#include "search_job.h"

#include <algorithm>

#include "flat_search.h"
#include "sparse_scan.h"

namespace mishards {
namespace {

// An exact slice covers this many bytes of vectors: some tenths of a millisecond for one query.
constexpr size_t kFlatSliceBytes = size_t{4} << 20;
// About what a row of a hundred entries takes.
constexpr size_t kSparseRowBytes = 1 << 10;
constexpr uint32_t kFlatSliceQueries = 64;
constexpr uint32_t kIndexSliceQueries = 32;
// Slices a thread, so that the last ones to finish do not leave the others idle for long.
constexpr uint32_t kSlicesPerThread = 4;

}  // namespace

VectorRows SearchSource::rows() const {
  if (block) return block->firstRows(filter.rowCount);
  return index ? index->rows() : file->rows();
}

SparseRows SearchSource::sparseRows() const {
  return block ? block->firstSparseRows(filter.rowCount) : file->sparseRows();
}

SearchJob::SearchJob(const Simd& simd, SearchRequest request, uint32_t threads)
    : simd_(simd),
      request_(std::move(request)),
      results_(request_.queryCount, TopK(request_.k)),
      counted_(request_.sources.size()) {
  plan(threads);
  setPhase(static_cast<uint32_t>(slices_.size()), threads);
}

void SearchJob::plan(uint32_t threads) {
  const size_t pairs = request_.sources.size() * size_t{request_.queryCount};
  const size_t share = pairs / (size_t{threads} * kSlicesPerThread);
  const auto queriesEach = static_cast<uint32_t>(std::clamp<size_t>(share, 1, kIndexSliceQueries));
  for (uint32_t source = 0; source < request_.sources.size(); source++) planSource(source, queriesEach);
}

void SearchJob::planSource(uint32_t source, uint32_t queriesEach) {
  const SearchSource& data = request_.sources[source];
  const uint32_t rowCount = data.filter.rowCount;
  if (rowCount == 0) return;
  const VectorRows rows = data.rows();
  const size_t rowBytes = rows.format == VectorFormat::kSparse ? kSparseRowBytes : rows.rowBytes();
  const size_t rowsEach = data.index ? rowCount : std::max<size_t>(1, kFlatSliceBytes / rowBytes);
  const uint32_t queryStep = data.index ? queriesEach : kFlatSliceQueries;
  for (size_t row = 0; row < rowCount; row += rowsEach) {
    const auto rowEnd = static_cast<uint32_t>(std::min<size_t>(rowCount, row + rowsEach));
    for (uint32_t query = 0; query < request_.queryCount; query += queryStep) {
      const uint32_t queryEnd = std::min(request_.queryCount, query + queryStep);
      slices_.push_back({source, static_cast<uint32_t>(row), rowEnd, query, queryEnd});
    }
  }
}

RowFilter SearchJob::countedFilter(uint32_t source) {
  RowFilter& filter = request_.sources[source].filter;
  std::call_once(counted_[source], [&] { filter.allowedCount = filter.countAllowed(); });
  return filter;
}

void SearchJob::run(uint32_t slice) {
  const Slice& work = slices_[slice];
  std::vector<TopK> found(work.queryEnd - work.queryBegin, TopK(request_.k));
  if (request_.sources[work.source].index) {
    runIndex(work, found);
  } else if (request_.sources[work.source].rows().format == VectorFormat::kSparse) {
    runSparse(work, found);
  } else {
    runFlat(work, found);
  }
  if (!stopped()) reduce(work, found);
}

void SearchJob::runSparse(const Slice& slice, std::vector<TopK>& found) {
  const SearchSource& source = request_.sources[slice.source];
  const SparseRows rows = source.sparseRows();
  for (uint32_t query = slice.queryBegin; query < slice.queryEnd; query++) {
    const SparseScorer score(request_.metric, request_.bm25, request_.queries.at(query).sparse);
    const SparseScan scan{rows, slice.rowBegin, slice.rowEnd, source.filter, request_.bounds, slice.source};
    scanSparse(scan, score, found[query - slice.queryBegin], stopped());
  }
}

void SearchJob::runFlat(const Slice& slice, std::vector<TopK>& found) {
  const SearchSource& source = request_.sources[slice.source];
  std::vector<QueryVector> queries;
  for (uint32_t query = slice.queryBegin; query < slice.queryEnd; query++) queries.push_back(request_.queries.at(query));
  const FlatQueries batch{queries.data(), queries.size(), found.data()};
  searchFlat(simd_, request_.metric, source.rows(), slice.rowBegin, slice.rowEnd, source.filter, request_.bounds, batch,
             slice.source, stopped());
}

void SearchJob::runIndex(const Slice& slice, std::vector<TopK>& found) {
  const IndexRequest request{&simd_,          slice.source, request_.k, request_.params, countedFilter(slice.source),
                             request_.bounds, request_.bm25};
  for (uint32_t query = slice.queryBegin; query < slice.queryEnd && !stopped(); query++) {
    request_.sources[slice.source].index->search(request, request_.queries.at(query), found[query - slice.queryBegin],
                                                 stopped());
  }
}

void SearchJob::reduce(const Slice& slice, const std::vector<TopK>& found) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t index = 0; index < found.size(); index++) {
    TopK& result = results_[slice.queryBegin + index];
    for (const Hit& hit : found[index].hits()) result.offer(hit);
  }
}

bool SearchJob::nextPhase() {
  for (TopK& result : results_) result.sort();
  return false;
}

}  // namespace mishards
