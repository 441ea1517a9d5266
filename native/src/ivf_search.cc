#include <algorithm>
#include <cmath>

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

// Raw vectors asked for this many candidates before they are scored.
constexpr size_t kRankAhead = 4;

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
    const ListCoder* coder = index_.coder();
    if (!scanIsCheaper() && orderLists()) {
      if (exact()) return probeVectors(result);
      const auto scan = coder->scan(*request_.simd, query_.floats, request_.params.queryBits, index_.layout(), index_.codes());
      if (scan) return probeCodes(*scan, result);
    }
    const FlatQueries one{&query_, 1, &result};
    searchFlat(*request_.simd, index_.metric(), index_.rows(), 0, index_.rows().rowCount, request_.filter, request_.bounds,
               one, request_.source, stopped_);
  }

 private:
  /** Whether the rows of lists are scored without estimates, whose pool better rows that are not wanted would fill up. */
  bool exact() const { return index_.coder() == nullptr || request_.bounds.isBelow(); }

  bool bounded() const { return request_.bounds.hasAbove || request_.bounds.isBelow(); }

  /** In units of scoring one row of a list exactly. */
  bool scanIsCheaper() const {
    const RowFilter& filter = request_.filter;
    // Neither lists nor estimates tell what earlier pages have passed over.
    if (filter.allowedCount <= request_.k || request_.bounds.isPage()) return true;
    const IvfMeta& meta = index_.meta();
    const double rows = static_cast<double>(filter.rowCount) * probes_ / meta.listCount;
    const double share = static_cast<double>(filter.allowedCount) / filter.rowCount;
    const ListCoder* coder = index_.coder();
    // Codes are all estimated before the filter is asked; what is kept is scored exactly.
    const double row = coder == nullptr ? 1 : kScatteredCost;
    const double probing = exact() ? rows * (row * share + (filter.bits == nullptr ? 0 : kDroppedCost))
                                   : rows * coder->cost() + kScatteredCost * static_cast<double>(poolSize());
    const double scanning = filter.allowedCount * (filter.bits == nullptr ? 1 : kScatteredCost);
    return scanning <= meta.listCount + probing;
  }

  /** Codes misplace a few candidates at the end of a pool, so it gets some to spare. */
  size_t poolSize() const {
    const SearchParams& params = request_.params;
    size_t size = request_.k + request_.k / 4 + 8;
    if (index_.meta().refine != 0) size = std::max(size, static_cast<size_t>(std::ceil(params.refineK * static_cast<double>(request_.k))));
    if (static_cast<IvfKind>(index_.meta().kind) == IvfKind::kScann) size = std::max<size_t>(size, params.reorderK);
    return std::min<size_t>(size, request_.filter.rowCount);
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
    // Centres and queries at the ends of the range of floats give scores that are not numbers, which cannot be sorted.
    for (uint32_t list = 0; list < centroids.count; list++) {
      const float score = scratch_.scores[list];
      lists.push_back({std::isnan(score) ? -INFINITY : score, list});
    }
    std::partial_sort(lists.begin(), lists.begin() + probes_, lists.end(), nearer);
    return true;
  }

  void probeVectors(TopK& result) {
    probeLists([&](uint32_t list) { return scanVectors(list, result); }, [&] { return result.hits().size(); });
  }

  void probeCodes(ListScan& scan, TopK& result) {
    const ScoreBounds& bounds = request_.bounds;
    CodePool pool(scratch_.results, poolSize(), request_.filter, bounds.above - scan.slack(), bounds.upTo + scan.slack());
    const auto estimate = [&](uint32_t list) {
      const size_t before = pool.seen();
      scan.scan(list, pool);
      return pool.seen() > before;
    };
    probeLists(estimate, [&] { return pool.size(); });
    rank(result);
  }

  /** `scanList` says whether the list gave anything, `found` how many rows there are. */
  template <typename ScanList, typename Found>
  void probeLists(ScanList scanList, Found found) {
    std::vector<Candidate>& lists = scratch_.frontier;
    uint32_t emptyLists = 0;
    for (uint32_t at = 0; at < lists.size() && !stopped_.load(std::memory_order_relaxed); at++) {
      // A filter or bounds may leave the nearest lists with too little; then the next ones are looked into too.
      if (at >= probes_ && (found() >= request_.k || (bounded() && emptyLists >= kEmptyListsMax))) return;
      if (at == probes_) std::sort(lists.begin() + at, lists.end(), nearer);
      emptyLists = scanList(lists[at].id) ? 0 : emptyLists + 1;
    }
  }

  /** Whether anything was within the bounds. */
  bool scanVectors(uint32_t list, TopK& result) {
    bool found = false;
    const ListLayout& layout = index_.layout();
    for (size_t at = layout.begin(list); at < layout.end(list); at++) {
      const uint32_t row = layout.rowIds[at];
      if (!request_.filter.allows(row)) continue;
      const float value = score_(index_.coder() == nullptr ? index_.vectorAt(at) : index_.rows().at(row));
      if (!request_.bounds.keep(value)) continue;
      found = true;
      if (result.wants(value)) result.offer({value, request_.source, row});
    }
    return found;
  }

  /** True scores of what the estimates kept. */
  void rank(TopK& result) {
    const std::vector<Candidate>& kept = scratch_.results;
    const VectorRows& rows = index_.rows();
    for (size_t i = 0; i < kept.size(); i++) {
      if (i + kRankAhead < kept.size()) __builtin_prefetch(rows.at(kept[i + kRankAhead].id));
      const float value = score_(rows.at(kept[i].id));
      if (request_.bounds.keep(value)) result.offer({value, request_.source, kept[i].id});
    }
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
