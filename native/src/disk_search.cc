#include <algorithm>
#include <chrono>
#include <cmath>

#include "disk_index.h"
#include "exact_score.h"
#include "find_below.h"
#include "flat_search.h"
#include "hnsw_index.h"
#include "scratch.h"

namespace mishards {
namespace {

using Clock = std::chrono::steady_clock;

// Above this many candidates, walking has to be cheaper than estimating every row.
constexpr uint32_t kWalkPoolMax = 1024;
// What a node costs a walk, against estimating a row in a scan: it is met at random, with a vector and links that are far away.
constexpr double kNodeCost = 40;
constexpr double kEstimateCost = 2;
// A filtered walk that takes so many times what a filter at random would make it take goes against the query: more of it is wasted.
constexpr double kPatience = 4;
constexpr uint32_t kStopCheckRows = 1024;
// A step that takes longer had to wait for the disk; then so many steps tell the system what they will read, which costs a call a node.
constexpr auto kWaited = std::chrono::microseconds(50);
constexpr uint32_t kStepsAdvised = 256;
// Estimates and vectors asked for this many rows before they are needed.
constexpr size_t kAhead = 4;

bool better(const Candidate& left, const Candidate& right) {
  return left.score != right.score ? left.score > right.score : left.id < right.id;
}

bool worse(const Candidate& left, const Candidate& right) {
  return better(right, left);
}

void prefetch(const uint8_t* bytes, size_t size) {
  for (size_t offset = 0; offset < size; offset += kCacheLine) __builtin_prefetch(bytes + offset);
}

/** One query on one graph. */
class DiskWalk {
 public:
  DiskWalk(const DiskIndex& index, const IndexRequest& request, const QueryVector& query, const std::atomic<bool>& stopped)
      : index_(index),
        request_(request),
        query_(query),
        stopped_(stopped),
        scratch_(Scratch::local()),
        score_(*request.simd, index.metric(), index.rows(), query),
        beam_(request.params.beamWidth) {
    // Codes misplace a few candidates at the end of a list, so a small one gets some to spare.
    pool_ = std::max<size_t>(request.params.searchList, request.k + request.k / 4 + 8);
    pool_ = std::min<size_t>(pool_, index.rows().rowCount);
  }

  void run(TopK& result) {
    const RowFilter& filter = request_.filter;
    if (filter.allowedCount == 0) return;
    if (filter.allowedCount <= pool_ || !prepare()) return scanVectors(result);
    if (request_.bounds.isPage()) return searchBelow(result);
    TopK found(request_.k);
    if (!walk(found)) {
      found.reset(request_.k);
      scanCodes();
      rank(found);
    }
    // Better rows, which are not wanted, may have taken the places of those that are.
    const bool isFull = scratch_.results.size() == pool_;
    if (request_.bounds.isBelow() && isFull && found.hits().size() < request_.k) return searchBelow(result);
    for (const Hit& hit : found.hits()) result.offer(hit);
  }

 private:
  void scanVectors(TopK& result) {
    const FlatQueries one{&query_, 1, &result};
    searchFlat(*request_.simd, index_.metric(), index_.rows(), 0, index_.rows().rowCount, request_.filter, request_.bounds, one,
               request_.source, stopped_);
  }

  void searchBelow(TopK& result) {
    codes_.slack *= kSlackBelow;
    estimateMax_ = request_.bounds.upTo + codes_.slack;
    const auto scan = [this](size_t pool) {
      pool_ = pool;
      scanCodes();
    };
    const auto rankKept = [this](TopK& found) { return rank(found); };
    if (!findBelow(request_, pool_, stopped_, scan, rankKept, result)) scanVectors(result);
  }

  bool prepare() {
    if (!index_.codes().prepare(*request_.simd, query_.floats, scratch_.row, scratch_.values, &codes_)) return false;
    estimateMax_ = request_.bounds.upTo + codes_.slack;
    scratch_.reserveNeighbours(beam_ * index_.meta().degree);
    return true;
  }

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  float estimate(uint32_t row) const { return index_.codes().score(codes_, row); }

  void offer(TopK& found, uint32_t row, const uint8_t* vector) const {
    const float value = score_(vector);
    if (request_.bounds.keep(value)) found.offer({value, request_.source, row});
  }

  /** In units of estimating one row of a scan. */
  double expectedCost() const {
    const double share = static_cast<double>(request_.filter.allowedCount) / request_.filter.rowCount;
    return static_cast<double>(pool_) / share * nodeCost();
  }
  double nodeCost() const { return kNodeCost + kEstimateCost * index_.meta().degree; }
  double scanCost() const { return request_.filter.allowedCount + kNodeCost * static_cast<double>(pool_); }

  /** Best first from the entry point; false when a scan of the allowed rows is the better way. */
  bool walk(TopK& found) {
    double budget = std::numeric_limits<double>::infinity();
    const bool everything = request_.filter.bits == nullptr && !request_.bounds.isBelow();
    if (!everything || pool_ > kWalkPoolMax) {
      if (expectedCost() >= scanCost()) return false;
      budget = std::min(scanCost(), kPatience * expectedCost());
    }
    scratch_.frontier.clear();
    scratch_.results.clear();
    scratch_.visited.reset(index_.rows().rowCount);
    const uint32_t entry = index_.meta().entryRow;
    scratch_.visited.add(entry);
    consider({estimate(entry), entry});
    while (!stopped()) {
      takeBeam();
      if (scratch_.beam.empty()) break;
      budget -= nodeCost() * static_cast<double>(scratch_.beam.size());
      if (budget < 0) return false;
      expandBeam(found);
    }
    // Fewer than the pool holds means that the walk saw all it can reach; the scan sees the rest.
    return scratch_.results.size() == pool_ || stopped();
  }

  /** The best rows that were not expanded into `beam`; none when no better rows can be found through them. */
  void takeBeam() {
    std::vector<Candidate>& frontier = scratch_.frontier;
    scratch_.beam.clear();
    while (scratch_.beam.size() < beam_ && !frontier.empty() && isWorthwhile(frontier.front().score)) {
      scratch_.beam.push_back(frontier.front().id);
      std::pop_heap(frontier.begin(), frontier.end(), worse);
      frontier.pop_back();
    }
  }

  void expandBeam(TopK& found) {
    const size_t nodeBytes = index_.layout().nodeBytes();
    std::atomic<uint32_t>& cold = index_.coldSteps();
    const uint32_t advised = cold.load(std::memory_order_relaxed);
    for (const uint32_t row : scratch_.beam) {
      if (advised > 0) advise(index_.nodeOf(row), nodeBytes, Advice::kSoon);
    }
    for (const uint32_t row : scratch_.beam) prefetch(index_.nodeOf(row), nodeBytes);
    const Clock::time_point start = Clock::now();
    size_t count = 0;
    for (const uint32_t row : scratch_.beam) count = gather(index_.linksOf(index_.nodeOf(row)), count);
    for (const uint32_t row : scratch_.beam) {
      if (request_.filter.allows(row)) offer(found, row, index_.nodeOf(row));
    }
    if (Clock::now() - start > kWaited) {
      cold.store(kStepsAdvised, std::memory_order_relaxed);
    } else if (advised > 0) {
      cold.store(advised - 1, std::memory_order_relaxed);
    }
    for (size_t i = 0; i < count; i++) consider({estimate(scratch_.ids[i]), scratch_.ids[i]});
  }

  /** Rows that were not seen before, now seen, into `ids` from `count` on. */
  size_t gather(const uint32_t* links, size_t count) {
    const VisitedSet::View visited = scratch_.visited.view();
    const uint32_t degree = index_.meta().degree;
    const size_t stride = index_.codes().stride();
    uint32_t* ids = scratch_.ids.data();
    for (uint32_t at = 0; at < degree && links[at] != kNoLink; at++) {
      ids[count] = links[at];
      if (!visited.insert(links[at])) continue;
      prefetch(index_.codes().at(links[at]), stride);
      count++;
    }
    return count;
  }

  bool isWorthwhile(float score) const {
    if (scratch_.results.size() < pool_) return score == score;
    return score >= scratch_.results.front().score;
  }

  void consider(const Candidate& found) {
    if (!isWorthwhile(found.score)) return;
    scratch_.frontier.push_back(found);
    std::push_heap(scratch_.frontier.begin(), scratch_.frontier.end(), worse);
    if (request_.filter.allows(found.id)) keep(found);
  }

  void keep(const Candidate& candidate) {
    if (candidate.score > estimateMax_) return;
    std::vector<Candidate>& results = scratch_.results;
    if (results.size() == pool_) {
      if (!better(candidate, results.front())) return;
      std::pop_heap(results.begin(), results.end(), better);
      results.pop_back();
    }
    results.push_back(candidate);
    std::push_heap(results.begin(), results.end(), better);
  }

  /** The codes of every allowed row. */
  void scanCodes() {
    scratch_.results.clear();
    uint32_t seen = 0;
    bool over = false;
    request_.filter.forEach(0, index_.meta().rowCount, [&](uint32_t row) {
      if (++seen % kStopCheckRows == 0) over = stopped();
      if (over) return;
      const float score = estimate(row);
      if (isWorthwhile(score)) keep({score, row});
    });
  }

  /**
   * True scores of what was kept, best estimates first, until no estimate can be far enough off to matter. False when that might
   * come after the last.
   */
  bool rank(TopK& found) {
    std::vector<Candidate>& kept = scratch_.results;
    std::sort(kept.begin(), kept.end(), better);
    const size_t rowBytes = index_.rows().rowBytes();
    // What is read is known at once, so the disk may as well.
    if (index_.coldSteps().load(std::memory_order_relaxed) > 0) {
      for (const Candidate& candidate : kept) advise(index_.nodeOf(candidate.id), rowBytes, Advice::kSoon);
    }
    for (size_t i = 0; i < kept.size() && !stopped(); i++) {
      if (!found.wants(kept[i].score + codes_.slack)) return true;
      if (i + kAhead < kept.size()) prefetch(index_.nodeOf(kept[i + kAhead].id), rowBytes);
      offer(found, kept[i].id, index_.nodeOf(kept[i].id));
    }
    return kept.size() < pool_;
  }

  const DiskIndex& index_;
  const IndexRequest& request_;
  const QueryVector query_;
  const std::atomic<bool>& stopped_;
  Scratch& scratch_;
  const ExactScorer score_;
  const size_t beam_;
  RowCodeQuery codes_{};
  size_t pool_;
  float estimateMax_ = std::numeric_limits<float>::infinity();
};

}  // namespace

void DiskIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                       const std::atomic<bool>& stopped) const {
  DiskWalk(*this, request, query, stopped).run(result);
}

}  // namespace mishards
