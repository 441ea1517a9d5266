#include "hnsw_index.h"

#include <algorithm>
#include <cmath>

#include "exact_score.h"
#include "find_below.h"
#include "flat_search.h"
#include "scratch.h"

namespace mishards {
namespace {

// Pools beyond this size are kept in heaps: moving entries would cost more than the graph.
constexpr uint32_t kSortedPoolMax = 1024;
// What scoring a row in a filtered walk costs, against scoring one in a scan: it is met at random and enters two heaps.
constexpr double kWalkCost = 3;
// A filtered walk that takes so many times what a filter at random would make it take goes against the query: more of it is wasted.
constexpr double kPatience = 4;
// Candidates expanded together: their neighbours' cache lines arrive in parallel.
constexpr size_t kExpandBatch = 4;
constexpr size_t kScanBatch = 128;
constexpr uint32_t kStopCheckInterval = 32;
// Estimates are this many standard deviations or less from the truth, nearly always.
constexpr float kErrorDeviations = 4;
// Raw vectors asked for this many candidates before they are scored.
constexpr size_t kRankAhead = 4;

bool betterCandidate(const Candidate& left, const Candidate& right) {
  return left.score != right.score ? left.score > right.score : left.id < right.id;
}

bool worseCandidate(const Candidate& left, const Candidate& right) {
  return betterCandidate(right, left);
}

/** One query on one graph. */
class Walk {
 public:
  Walk(const HnswIndex& index, const IndexRequest& request, const QueryVector& query, const std::atomic<bool>& stopped)
      : index_(index), request_(request), query_(query), stopped_(stopped), scratch_(Scratch::local()), table_(index.codes()) {
    // Codes misplace a few candidates at the end of a pool, so a small pool gets some to spare.
    pool_ = std::max<size_t>(request.params.ef, request.k + request.k / 4 + 8);
    if (index.refines()) {
      pool_ = std::max(pool_, static_cast<size_t>(std::ceil(request.params.refineK * static_cast<double>(request.k))));
    }
    pool_ = std::min<size_t>(pool_, index.rows().rowCount);
    scores_ = index.quantizer().bits() == 8 ? request.simd->scores8 : request.simd->scores4;
  }

  void run(TopK& result) {
    const RowFilter& filter = request_.filter;
    if (filter.allowedCount == 0) return;
    if (filter.allowedCount <= pool_ || !prepare()) return scanVectors(result);
    if (request_.bounds.isPage()) return searchBelow(result);
    if (!walkGraph()) scanCodes();
    if (!request_.bounds.isBelow()) {
      rank(result);
      return;
    }
    TopK found(request_.k);
    // Better rows, which are not wanted, may have taken the places of those that are.
    if (!rank(found) && found.hits().size() < request_.k) return searchBelow(result);
    for (const Hit& hit : found.hits()) result.offer(hit);
  }

 private:
  void scanVectors(TopK& result) {
    const FlatQueries one{&query_, 1, &result};
    searchFlat(*request_.simd, index_.metric(), index_.rows(), 0, index_.rows().rowCount, request_.filter, request_.bounds, one,
               request_.source, stopped_);
  }

  void searchBelow(TopK& result) {
    slack_ *= kSlackBelow;
    estimateMax_ = request_.bounds.upTo + slack_;
    const auto scan = [this](size_t pool) {
      pool_ = pool;
      scanCodes();
    };
    const auto rankKept = [this](TopK& found) { return rank(found); };
    if (!findBelow(request_, pool_, stopped_, scan, rankKept, result)) scanVectors(result);
  }

  bool prepare() {
    if (!index_.quantizer().prepare(query_.floats, scratch_.query, scratch_.values)) return false;
    scratch_.reserveNeighbours(std::max<size_t>(kExpandBatch * index_.meta().linkStride, kScanBatch));
    const float dim = static_cast<float>(index_.meta().dim);
    float norm = 0;
    for (size_t i = 0; i < index_.meta().dim; i++) norm += scratch_.values[i] * scratch_.values[i];
    const float deviation = std::sqrt(norm / dim) * index_.meta().codeError;
    slack_ = kErrorDeviations * deviation * (index_.metric() == Metric::kL2 ? 2 : 1);
    estimateMax_ = request_.bounds.upTo + slack_;
    return true;
  }

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  /** False when a scan of the allowed rows is the better way. */
  bool walkGraph() {
    const RowFilter& filter = request_.filter;
    const bool everything = filter.bits == nullptr && !request_.bounds.isBelow();
    if (!everything || pool_ > kSortedPoolMax) return expectedSteps() < scanSteps() && walkAccepting();
    walkAll();
    keepPool();
    // Fewer than the pool holds means that the walk saw all it can reach; the scan sees the rest.
    return scratch_.results.size() == pool_ || stopped();
  }

  /** Rows a filtered walk scores, about, in units of rows a scan scores. */
  double expectedSteps() const {
    const double share = static_cast<double>(request_.filter.allowedCount) / request_.filter.rowCount;
    return kWalkCost * static_cast<double>(pool_) / share * index_.degree0();
  }

  double scanSteps() const { return request_.filter.allowedCount; }

  uint32_t descend() {
    const HnswMeta& meta = index_.meta();
    if (meta.upperCount == 0) return meta.entryRow;
    uint32_t best = meta.entryUpper;
    float bestScore = scoreOf(index_.rowOfUpper(best));
    for (uint32_t level = meta.topLevel; level > 0; level--) {
      for (bool moved = true; moved;) {
        moved = false;
        const uint32_t* links = index_.upperLinksOf(best, level);
        size_t count = 0;
        for (; count < meta.degree && links[count] != kNoLink; count++) scratch_.ids[count] = index_.rowOfUpper(links[count]);
        scoreIds(count);
        for (size_t i = 0; i < count; i++) {
          if (!(scratch_.scores[i] > bestScore)) continue;
          bestScore = scratch_.scores[i];
          best = links[i];
          moved = true;
        }
      }
    }
    return index_.rowOfUpper(best);
  }

  float scoreOf(uint32_t id) {
    float score;
    scores_(table_, scratch_.query.code, &id, 1, &score);
    return score;
  }

  void scoreIds(size_t count) { scores_(table_, scratch_.query.code, scratch_.ids.data(), count, scratch_.scores.data()); }

  void prefetchCode(uint32_t id) const {
    const uint8_t* code = table_.codes + id * table_.stride;
    for (size_t offset = 0; offset < table_.stride; offset += kCacheLine) __builtin_prefetch(code + offset);
  }

  void prefetchLinks(uint32_t id) const {
    const auto* links = reinterpret_cast<const uint8_t*>(index_.linksOf(id));
    const size_t bytes = std::min<size_t>(index_.degree0(), 64) * sizeof(uint32_t);
    for (size_t offset = 0; offset < bytes; offset += kCacheLine) __builtin_prefetch(links + offset);
  }

  /** Unseen neighbours of `id`, now seen, into `ids`. */
  size_t gather(uint32_t id, size_t offset) {
    const uint32_t* links = index_.linksOf(id);
    uint32_t* ids = scratch_.ids.data() + offset;
    const VisitedSet::View visited = scratch_.visited.view();
    const size_t degree = index_.degree0();
    size_t count = 0;
    // Whether a link was seen is as good as random: a branch on it would be mispredicted every other time.
    for (size_t at = 0; at < degree && links[at] != kNoLink; at++) {
      const uint32_t link = links[at];
      ids[count] = link;
      count += visited.insert(link) ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) prefetchCode(ids[i]);
    return count;
  }

  /** Best first from the entries of the pool until nothing in it is left to expand. */
  void expandPool() {
    CandidatePool& pool = scratch_.pool;
    uint32_t batch[kExpandBatch];
    uint32_t next[kExpandBatch];
    size_t taken = takeBatch(pool, batch, 0);
    for (uint32_t step = 1; taken > 0; step++) {
      if (step % kStopCheckInterval == 0 && stopped()) return;
      // The next batch is chosen before this one is scored, so that its links arrive meanwhile.
      const size_t nextTaken = takeBatch(pool, next, 0);
      size_t count = 0;
      for (size_t i = 0; i < taken; i++) count += gather(batch[i], count);
      scoreIds(count);
      for (size_t i = 0; i < count; i++) pool.offer(scratch_.scores[i], scratch_.ids[i]);
      taken = takeBatch(pool, next, nextTaken);
      std::copy_n(next, taken, batch);
    }
  }

  size_t takeBatch(CandidatePool& pool, uint32_t* batch, size_t taken) {
    for (; taken < kExpandBatch && pool.takeBest(&batch[taken]); taken++) prefetchLinks(batch[taken]);
    return taken;
  }

  void walkAll() {
    scratch_.visited.reset(index_.rows().rowCount);
    scratch_.pool.reset(pool_);
    const uint32_t entry = descend();
    scratch_.visited.add(entry);
    scratch_.pool.offer(scoreOf(entry), entry);
    expandPool();
  }

  void keepPool() {
    sorted_ = true;
    scratch_.results.clear();
    for (size_t i = 0; i < scratch_.pool.size(); i++) scratch_.results.push_back(scratch_.pool.at(i));
  }

  bool accepts(const Candidate& candidate) const { return candidate.score <= estimateMax_ && request_.filter.allows(candidate.id); }

  void keepAccepted(const Candidate& candidate) {
    if (!accepts(candidate)) return;
    std::vector<Candidate>& results = scratch_.results;
    if (results.size() < pool_) {
      results.push_back(candidate);
      std::push_heap(results.begin(), results.end(), betterCandidate);
    } else if (betterCandidate(candidate, results.front())) {
      std::pop_heap(results.begin(), results.end(), betterCandidate);
      results.back() = candidate;
      std::push_heap(results.begin(), results.end(), betterCandidate);
    }
  }

  bool isWorthwhile(float score) const {
    if (scratch_.results.size() < pool_) return score == score;
    return score > scratch_.results.front().score;
  }

  /**
   * Walks through all rows but keeps only accepted ones. False when that costs more than scanning the allowed rows, or far more
   * than expected.
   */
  bool walkAccepting() {
    std::vector<Candidate>& frontier = scratch_.frontier;
    frontier.clear();
    scratch_.results.clear();
    scratch_.visited.reset(index_.rows().rowCount);
    const uint32_t entry = descend();
    scratch_.visited.add(entry);
    consider({scoreOf(entry), entry});
    double budget = std::min(scanSteps(), kPatience * expectedSteps());
    for (uint32_t step = 1; !frontier.empty(); step++) {
      if (step % kStopCheckInterval == 0 && stopped()) return true;
      uint32_t batch[kExpandBatch];
      size_t taken = 0;
      for (; taken < kExpandBatch && !frontier.empty() && isWorthwhile(frontier.front().score); taken++) {
        batch[taken] = frontier.front().id;
        prefetchLinks(batch[taken]);
        std::pop_heap(frontier.begin(), frontier.end(), worseCandidate);
        frontier.pop_back();
      }
      if (taken == 0) break;
      size_t count = 0;
      for (size_t i = 0; i < taken; i++) count += gather(batch[i], count);
      budget -= kWalkCost * static_cast<double>(count);
      if (budget < 0) return false;
      scoreIds(count);
      for (size_t i = 0; i < count; i++) consider({scratch_.scores[i], scratch_.ids[i]});
    }
    return scratch_.results.size() == pool_;
  }

  void consider(const Candidate& found) {
    if (!isWorthwhile(found.score)) return;
    scratch_.frontier.push_back(found);
    std::push_heap(scratch_.frontier.begin(), scratch_.frontier.end(), worseCandidate);
    keepAccepted(found);
  }

  /** The codes of every allowed row. */
  void scanCodes() {
    sorted_ = false;
    scratch_.results.clear();
    size_t count = 0;
    request_.filter.forEach(0, index_.meta().rowCount, [&](uint32_t row) {
      prefetchCode(row);
      scratch_.ids[count++] = row;
      if (count < kScanBatch) return;
      scanBatch(count);
      count = 0;
    });
    scanBatch(count);
  }

  void scanBatch(size_t count) {
    if (stopped()) return;
    scoreIds(count);
    for (size_t i = 0; i < count; i++) {
      if (isWorthwhile(scratch_.scores[i])) keepAccepted({scratch_.scores[i], scratch_.ids[i]});
    }
  }

  /**
   * True scores of what was kept, best estimates first, until no estimate can be far enough off to matter. False when that might
   * come after the last.
   */
  bool rank(TopK& result) {
    const VectorRows& rows = index_.rows();
    const ExactScorer score(*request_.simd, index_.metric(), rows, query_);
    std::vector<Candidate>& kept = scratch_.results;
    if (!sorted_) std::sort(kept.begin(), kept.end(), betterCandidate);
    for (size_t i = 0; i < kept.size(); i++) {
      if (!result.wants(kept[i].score + slack_)) return true;
      if (i + kRankAhead < kept.size()) prefetchVector(kept[i + kRankAhead].id);
      const uint32_t row = kept[i].id;
      const float value = score(rows.at(row));
      if (request_.bounds.keep(value)) result.offer({value, request_.source, row});
    }
    return kept.size() < pool_;
  }

  void prefetchVector(uint32_t row) const {
    const auto* bytes = index_.rows().at(row);
    const size_t size = std::min<size_t>(index_.rows().rowBytes(), 1024);
    for (size_t offset = 0; offset < size; offset += kCacheLine) __builtin_prefetch(bytes + offset);
  }

  const HnswIndex& index_;
  const IndexRequest& request_;
  const QueryVector query_;
  const std::atomic<bool>& stopped_;
  Scratch& scratch_;
  CodeTable table_;
  CodeScores scores_;
  size_t pool_;
  float slack_ = 0;
  bool sorted_ = false;
  float estimateMax_ = std::numeric_limits<float>::infinity();
};

}  // namespace

// The graph is walked on codes; what the walk keeps is scored again from the raw vectors. Filters that keep little are
// scanned instead.
void HnswIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                       const std::atomic<bool>& stopped) const {
  Walk(*this, request, query, stopped).run(result);
}

}  // namespace mishards
