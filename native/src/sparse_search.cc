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
// What it costs, against adding a posting: looking a row up in a list, bounding a list, and weighing a row.
constexpr double kLookupCost = 16;
constexpr double kBoundCost = 20;
constexpr double kWeighCost = 1;
// Windows that all lists are added up in, after one where sparing some cost more than it saved: the threshold rises, so it is tried again.
constexpr uint32_t kPlainWindows = 8;

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
    // A pool of rows by part of their scores would fill up with better ones than are wanted.
    const double dropRatio = request_.bounds.isBelow() ? 0 : request_.params.dropRatio;
    const auto dropped = static_cast<size_t>(dropRatio * static_cast<double>(sizes.size()));
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
    windows(static_cast<SparseAlgorithm>(index_.meta().algorithm) != SparseAlgorithm::kNaive);
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
   * reach the threshold are only asked about rows that the others have brought. Without `prune`, and for some windows after one
   * where that did not pay, every list is added up.
   */
  void windows(bool prune) {
    const uint32_t rowCount = request_.filter.rowCount;
    uint32_t plain = 0;
    for (uint64_t begin = 0; begin < rowCount && !stopped();) {
      const auto first = static_cast<uint32_t>(begin);
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(rowCount, begin + kWindow));
      const bool bounded = prune && plain == 0;
      plain -= plain > 0 ? 1 : 0;
      if (!openWindow(first, end, bounded)) {
        begin = nextWindow(begin);
        continue;
      }
      begin = end;
      const double least = threshold();
      if (prune && reach_.back() <= least) continue;
      size_t essential = 0;
      while (bounded && reach_[essential] <= least) essential++;
      const double spent = window(first, end, essential, least);
      if (bounded && spent > expectedOf(0, present_.size())) plain = kPlainWindows;
    }
  }

  /** Finds the lists with rows in the window, and if `sorted` puts those first that may add least a posting; false when there are none. */
  bool openWindow(uint32_t begin, uint32_t end, bool sorted) {
    present_.clear();
    for (PostingCursor& term : terms_) {
      if (term.boundWithin(begin, end)) present_.push_back(&term);
    }
    if (sorted) {
      std::sort(present_.begin(), present_.end(), [](const PostingCursor* a, const PostingCursor* b) {
        return a->bound() * b->count() < b->bound() * a->count();
      });
    }
    reach_.clear();
    double sum = 0;
    for (const PostingCursor* term : present_) {
      sum += term->bound();
      reach_.push_back(sum * kBoundSlack);
    }
    return !present_.empty();
  }

  /** Postings in a window of the present lists [begin, end), were they spread evenly over the rows. */
  double expectedOf(size_t begin, size_t end) const {
    double count = 0;
    for (size_t i = begin; i < end; i++) count += present_[i]->count();
    return count * kWindow / request_.filter.rowCount;
  }

  uint64_t nextWindow(uint64_t begin) const {
    uint32_t next = kNoRow;
    for (const PostingCursor& term : terms_) next = std::min(next, term.rowFrom(static_cast<uint32_t>(begin)));
    return std::max<uint64_t>(begin + kWindow, next / kWindow * uint64_t{kWindow});
  }

  /** Offers the rows above `least`; returns what that cost, in postings. The lists before `essential` cannot reach it by themselves. */
  double window(uint32_t begin, uint32_t end, size_t essential, double least) {
    double spent = kBoundCost * static_cast<double>(present_.size()) + expectedOf(essential, present_.size());
    for (size_t i = essential; i < present_.size(); i++) present_[i]->addTo(sums_.data(), marks_.data(), begin, end);
    pick(begin, essential > 0 ? reach_[essential - 1] : 0, least);
    for (size_t i = essential; i-- > 0 && picked_ > 0;) {
      spent += kWeighCost * static_cast<double>(picked_) + addToPicked(i, begin, end);
      keepPicked(i > 0 ? reach_[i - 1] : 0, least);
    }
    for (size_t i = 0; i < picked_; i++) offer(begin + picks_[i], sums_[picks_[i]]);
    for (size_t run = 0; run < marks_.size(); run++) {
      if (marks_[run]) std::fill_n(sums_.data() + run * kRun, kRun, 0.0);
    }
    marks_.fill(false);
    return spent;
  }

  /** The rows that the filter allows and that with `reach` more would be above `least`. */
  void pick(uint32_t begin, double reach, double least) {
    picked_ = 0;
    for (size_t run = 0; run < marks_.size(); run++) {
      if (!marks_[run]) continue;
      for (size_t at = run * kRun; at < (run + 1) * kRun; at++) {
        if (!(sums_[at] + reach > least) || sums_[at] == 0) continue;
        if (request_.filter.allows(static_cast<uint32_t>(begin + at))) picks_[picked_++] = static_cast<uint16_t>(at);
      }
    }
  }

  void keepPicked(double reach, double least) {
    size_t kept = 0;
    for (size_t i = 0; i < picked_; i++) {
      picks_[kept] = picks_[i];
      kept += sums_[picks_[i]] + reach > least ? 1 : 0;
    }
    picked_ = kept;
  }

  /** Looks the rows up in a present list, or where that is dearer adds up all of it; returns what that cost. */
  double addToPicked(size_t list, uint32_t begin, uint32_t end) {
    PostingCursor& term = *present_[list];
    const double expected = expectedOf(list, list + 1);
    const double lookups = kLookupCost * static_cast<double>(picked_);
    if (lookups > expected) {
      term.addTo(sums_.data(), marks_.data(), begin, end);
      return expected;
    }
    for (size_t i = 0; i < picked_; i++) {
      const uint32_t row = begin + picks_[i];
      term.advance(row);
      if (term.row() == row) sums_[picks_[i]] += term.score();
    }
    return lookups;
  }

  const SparseIndex& index_;
  const IndexRequest& request_;
  const SparseRow query_;
  const std::atomic<bool>& stopped_;
  ScoreBounds bounds_;
  size_t k_ = 0;
  TopK* result_ = nullptr;
  std::vector<PostingCursor> terms_;
  /** Of a window; `reach_` is what the lists up to each may add together. */
  std::vector<PostingCursor*> present_;
  std::vector<double> reach_;
  std::vector<double> sums_ = std::vector<double>(kWindow);
  std::array<bool, kWindow / kRun> marks_{};
  /** Rows of the window that may still be hits. */
  std::array<uint16_t, kWindow> picks_;
  size_t picked_ = 0;
};

}  // namespace

void SparseIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                         const std::atomic<bool>& stopped) const {
  Probe(*this, request, query.sparse, stopped).run(result);
}

}  // namespace mishards
