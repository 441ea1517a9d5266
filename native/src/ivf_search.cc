#include <algorithm>

#include "exact_score.h"
#include "flat_search.h"
#include "ivf_index.h"
#include "scratch.h"

namespace mishards {
namespace {

// What an allowed row costs in a scan of all rows with a filter, against one of a list: it is met far from the one before.
constexpr double kScatteredCost = 2;
// What a row that the filter drops costs in a list.
constexpr double kDroppedCost = 0.1;
// With bounds, a search that has looked into its lists goes on until so many in a row give nothing.
constexpr uint32_t kEmptyListsMax = 2;

bool nearer(const Candidate& left, const Candidate& right) {
  return left.score != right.score ? left.score > right.score : left.id < right.id;
}

/** One query on one index. */
class Probe {
 public:
  Probe(const IvfIndex& index, const IndexRequest& request, const QueryVector& query, const std::atomic<bool>& stopped)
      : index_(index),
        request_(request),
        query_(query),
        stopped_(stopped),
        scratch_(Scratch::local()),
        score_(*request.simd, index.metric(), index.rows(), query),
        probes_(std::min(request.params.nprobe, index.meta().listCount)) {}

  void run(TopK& result) {
    if (request_.filter.allowedCount == 0) return;
    if (scanIsCheaper() || !orderLists()) {
      const FlatQueries one{&query_, 1, &result};
      searchFlat(*request_.simd, index_.metric(), index_.rows(), 0, index_.rows().rowCount, request_.filter,
                 request_.bounds, one, request_.source, stopped_);
      return;
    }
    probe(result);
  }

 private:
  bool bounded() const {
    return request_.bounds.hasAbove || request_.bounds.upTo != std::numeric_limits<float>::infinity();
  }

  /** In units of scoring one row of a list. */
  bool scanIsCheaper() const {
    const RowFilter& filter = request_.filter;
    if (filter.allowedCount <= request_.k) return true;
    const IvfMeta& meta = index_.meta();
    const double share = static_cast<double>(probes_) / meta.listCount;
    if (filter.bits == nullptr) return filter.rowCount <= meta.listCount + share * filter.rowCount;
    return kScatteredCost * filter.allowedCount <=
           meta.listCount + share * (filter.allowedCount + kDroppedCost * filter.rowCount);
  }

  /** False when the query has no place among the centres: values that are not finite. */
  bool orderLists() {
    const CentroidTable centroids = index_.centroids();
    scratch_.values.resize(centroids.dim);
    if (!index_.space().place(*request_.simd, query_.floats, scratch_.values.data())) return false;
    scratch_.reserveNeighbours(centroids.count);
    centroids.scoreAll(*request_.simd, scratch_.values.data(), scratch_.scores.data());
    std::vector<Candidate>& lists = scratch_.frontier;
    lists.clear();
    for (uint32_t list = 0; list < centroids.count; list++) lists.push_back({scratch_.scores[list], list});
    std::partial_sort(lists.begin(), lists.begin() + probes_, lists.end(), nearer);
    return true;
  }

  void probe(TopK& result) {
    std::vector<Candidate>& lists = scratch_.frontier;
    uint32_t emptyLists = 0;
    for (uint32_t at = 0; at < lists.size() && !stopped_.load(std::memory_order_relaxed); at++) {
      // A filter or bounds may leave the nearest lists with too little; then the next ones are looked into too.
      if (at >= probes_ && (result.hits().size() >= request_.k || (bounded() && emptyLists >= kEmptyListsMax))) return;
      if (at == probes_) std::sort(lists.begin() + at, lists.end(), nearer);
      emptyLists = scanList(lists[at].id, result) ? 0 : emptyLists + 1;
    }
  }

  /** Whether anything was within the bounds. */
  bool scanList(uint32_t list, TopK& result) {
    bool found = false;
    for (size_t at = index_.listBegin(list); at < index_.listEnd(list); at++) {
      const uint32_t row = index_.rowAt(at);
      if (!request_.filter.allows(row)) continue;
      const float value = score_(index_.vectorAt(at));
      if (!request_.bounds.keep(value)) continue;
      found = true;
      if (result.wants(value)) result.offer({value, request_.source, row});
    }
    return found;
  }

  const IvfIndex& index_;
  const IndexRequest& request_;
  const QueryVector query_;
  const std::atomic<bool>& stopped_;
  Scratch& scratch_;
  const ExactScorer score_;
  const uint32_t probes_;
};

}  // namespace

void IvfIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                      const std::atomic<bool>& stopped) const {
  Probe(*this, request, query, stopped).run(result);
}

}  // namespace mishards
