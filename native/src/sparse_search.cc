#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "sparse_cursor.h"
#include "sparse_index.h"
#include "sparse_scan.h"

namespace mishards {
namespace {

// Rows scored together: their sums stay in the first-level cache.
constexpr uint32_t kWindow = 2048;
// What an entry of a row costs in a scan, against a posting: rows are met apart from each other, entries are looked up.
constexpr double kScanCost = 3;
// Candidates of a search that dropped dimensions, for each hit wanted.
constexpr size_t kPoolFactor = 3;
constexpr uint32_t kStopCheckSteps = 1024;

/** One query on one index. */
class Probe {
 public:
  Probe(const SparseIndex& index, const IndexRequest& request, const SparseRow& query, const std::atomic<bool>& stopped)
      : index_(index), request_(request), query_(query), stopped_(stopped) {}

  void run(TopK& result) {
    if (request_.filter.allowedCount == 0) return;
    const bool isWhole = chooseTerms();
    if (scanIsCheaper()) return scan(result);
    if (isWhole) return collect(request_.bounds, request_.k, result);
    TopK pool(kPoolFactor * request_.k);
    collect({}, kPoolFactor * request_.k, pool);
    rank(pool, result);
  }

 private:
  /** False when dimensions were dropped: those with the smallest weights, `dropRatio` of them, but never all. */
  bool chooseTerms() {
    std::vector<float> sizes;
    for (uint32_t i = 0; i < query_.count; i++) sizes.push_back(std::fabs(query_.values[i]));
    std::sort(sizes.begin(), sizes.end());
    const auto dropped = static_cast<size_t>(request_.params.dropRatio * static_cast<double>(sizes.size()));
    const float smallest = sizes.empty() ? 0 : sizes[std::min(dropped, sizes.size() - 1)];
    bool isWhole = true;
    for (uint32_t i = 0; i < query_.count; i++) {
      const float weight = query_.values[i];
      if (weight == 0) continue;
      if (std::fabs(weight) < smallest) {
        isWhole = false;
        continue;
      }
      const Postings postings = index_.postingsOf(query_.indices[i]);
      if (postings.count > 0) terms_.emplace_back(postings, weight, index_, request_.bm25);
    }
    return isWhole;
  }

  bool scanIsCheaper() const {
    const RowFilter& filter = request_.filter;
    if (filter.bits == nullptr) return false;
    double postings = 0;
    for (const PostingCursor& term : terms_) postings += term.count();
    const double entriesEach = static_cast<double>(index_.meta().entryCount) / filter.rowCount;
    return kScanCost * filter.allowedCount * entriesEach < postings;
  }

  void scan(TopK& result) {
    const SparseScorer score(index_.metric(), request_.bm25, query_);
    const SparseRows& rows = index_.sparseRows();
    scanSparse({rows, 0, rows.rowCount, request_.filter, request_.bounds, request_.source}, score, result, stopped_);
  }

  void collect(const ScoreBounds& bounds, size_t k, TopK& result) {
    bounds_ = bounds;
    k_ = k;
    result_ = &result;
    const auto algorithm = static_cast<SparseAlgorithm>(index_.meta().algorithm);
    if (algorithm == SparseAlgorithm::kWand) {
      wand();
    } else {
      windows(algorithm == SparseAlgorithm::kMaxScore);
    }
  }

  /** Scores by the whole query. */
  void rank(const TopK& pool, TopK& result) {
    const SparseScorer score(index_.metric(), request_.bm25, query_);
    for (const Hit& hit : pool.hits()) {
      const float value = score(index_.sparseRows().row(hit.row));
      if (value != 0 && request_.bounds.keep(value)) result.offer({value, request_.source, hit.row});
    }
  }

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  /** What a score must be above to matter: later rows lose ties. */
  double threshold() const {
    const double above = bounds_.hasAbove ? bounds_.above : -std::numeric_limits<double>::infinity();
    return result_->hits().size() < k_ ? above : std::max<double>(above, result_->hits().front().score);
  }

  void offer(uint32_t row, double score) {
    const auto value = static_cast<float>(score);
    if (value != 0 && bounds_.keep(value) && result_->wants(value)) result_->offer({value, request_.source, row});
  }

  /**
   * MaxScore (Turtle and Flood 1995) over windows of rows with the maxima of blocks: lists whose bounds together cannot
   * reach the threshold are only asked about rows that the others have brought. Without `prune` every list is essential.
   */
  void windows(bool prune) {
    const uint32_t rowCount = request_.filter.rowCount;
    for (uint64_t begin = 0; begin < rowCount && !stopped();) {
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(rowCount, begin + kWindow));
      if (!openWindow(static_cast<uint32_t>(begin), end)) {
        begin = nextWindow(begin);
        continue;
      }
      const double least = threshold();
      size_t essential = 0;
      while (prune && essential < present_.size() && reach_[essential] <= least) essential++;
      if (essential < present_.size()) {
        for (size_t i = essential; i < present_.size(); i++) accumulate(*present_[i], static_cast<uint32_t>(begin), end);
        finishWindow(static_cast<uint32_t>(begin), essential);
      }
      begin = end;
    }
  }

  /** Finds the lists with rows in the window, least bound first; false when there are none. */
  bool openWindow(uint32_t begin, uint32_t end) {
    present_.clear();
    for (PostingCursor& term : terms_) {
      term.advance(begin);
      if (term.row() >= end) continue;
      term.boundUntil(end);
      present_.push_back(&term);
    }
    std::sort(present_.begin(), present_.end(),
              [](const PostingCursor* a, const PostingCursor* b) { return a->bound() < b->bound(); });
    reach_.clear();
    double sum = 0;
    for (const PostingCursor* term : present_) {
      sum += term->bound();
      reach_.push_back(sum * kBoundSlack);
    }
    return !present_.empty();
  }

  uint64_t nextWindow(uint64_t begin) const {
    uint32_t next = kNoRow;
    for (const PostingCursor& term : terms_) next = std::min(next, term.row());
    return std::max<uint64_t>(begin + kWindow, next / kWindow * uint64_t{kWindow});
  }

  void accumulate(PostingCursor& term, uint32_t begin, uint32_t end) {
    for (; term.row() < end; term.next()) {
      const uint32_t at = term.row() - begin;
      sums_[at] += term.score();
      touched_[at / 64] |= uint64_t{1} << (at % 64);
    }
  }

  void finishWindow(uint32_t begin, size_t essential) {
    double least = threshold();
    for (size_t word = 0; word < touched_.size(); word++) {
      for (uint64_t rest = touched_[word]; rest != 0; rest &= rest - 1) {
        const size_t at = word * 64 + static_cast<size_t>(std::countr_zero(rest));
        const auto row = static_cast<uint32_t>(begin + at);
        double score = sums_[at];
        sums_[at] = 0;
        if (!request_.filter.allows(row) || !complete(row, essential, least, score)) continue;
        offer(row, score);
        least = threshold();
      }
      touched_[word] = 0;
    }
  }

  /** Adds what the other lists have for the row, largest bounds first; false when it cannot reach the threshold. */
  bool complete(uint32_t row, size_t essential, double least, double& score) {
    for (size_t i = essential; i-- > 0;) {
      if (score + reach_[i] <= least) return false;
      present_[i]->advance(row);
      if (present_[i]->row() == row) score += present_[i]->score();
    }
    return score > least;
  }

  /** Block-max WAND (Ding and Suel 2011): skips to the first row that the bounds of the lists before it let through. */
  void wand() {
    for (PostingCursor& term : terms_) {
      term.advance(0);
      term.boundUntil(kNoRow);
      present_.push_back(&term);
    }
    for (uint32_t step = 1; !(step % kStopCheckSteps == 0 && stopped()); step++) {
      sortByRow();
      while (!present_.empty() && present_.back()->row() == kNoRow) present_.pop_back();
      const double least = threshold();
      size_t pivot = 0;
      double reach = 0;
      for (; pivot < present_.size(); pivot++) {
        reach += present_[pivot]->bound();
        if (reach * kBoundSlack > least) break;
      }
      if (pivot == present_.size()) return;
      const uint32_t row = present_[pivot]->row();
      while (pivot + 1 < present_.size() && present_[pivot + 1]->row() == row) pivot++;
      skipOrScore(row, pivot, least);
    }
  }

  /** A step moves few lists, so nearly all are in order. */
  void sortByRow() {
    for (size_t i = 1; i < present_.size(); i++) {
      for (size_t j = i; j > 0 && present_[j]->row() < present_[j - 1]->row(); j--) std::swap(present_[j], present_[j - 1]);
    }
  }

  /** Lists up to `pivot` may have `row`, the others do not. */
  void skipOrScore(uint32_t row, size_t pivot, double least) {
    double reach = 0;
    uint32_t blockEnd = pivot + 1 < present_.size() ? present_[pivot + 1]->row() : kNoRow;
    for (size_t i = 0; i <= pivot; i++) {
      uint32_t end = kNoRow;
      reach += present_[i]->blockBound(row, &end);
      blockEnd = std::min(blockEnd, end);
    }
    const bool isHopeless = reach * kBoundSlack <= least;
    if (isHopeless || !request_.filter.allows(row)) {
      const uint32_t next = isHopeless ? std::max(blockEnd, row + 1) : row + 1;
      for (size_t i = 0; i <= pivot; i++) present_[i]->advance(next);
      return;
    }
    double score = 0;
    for (size_t i = 0; i <= pivot; i++) {
      present_[i]->advance(row);
      if (present_[i]->row() != row) continue;
      score += present_[i]->score();
      present_[i]->next();
    }
    if (score > least) offer(row, score);
  }

  const SparseIndex& index_;
  const IndexRequest& request_;
  const SparseRow query_;
  const std::atomic<bool>& stopped_;
  ScoreBounds bounds_;
  size_t k_ = 0;
  TopK* result_ = nullptr;
  std::vector<PostingCursor> terms_;
  /** Of a window or walk; `reach_` is what the lists up to each may add together. */
  std::vector<PostingCursor*> present_;
  std::vector<double> reach_;
  std::vector<double> sums_ = std::vector<double>(kWindow);
  std::array<uint64_t, kWindow / 64> touched_{};
};

}  // namespace

void SparseIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                         const std::atomic<bool>& stopped) const {
  Probe(*this, request, query.sparse, stopped).run(result);
}

}  // namespace mishards
