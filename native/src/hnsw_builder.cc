#include "hnsw_builder.h"

#include <algorithm>
#include <cmath>

#include "random.h"

namespace mishards {
namespace {

constexpr uint32_t kBuildBits = 8;
// Candidates compared with one already chosen link at a time: a rejection usually comes from the first few.
constexpr size_t kSelectBatch = 8;
// Of flat graphs: a link may be this many times as far as from a chosen one, and still be kept where there is room.
constexpr float kRelaxation = 1.2f;

bool closer(const Candidate& left, const Candidate& right) {
  return left.score != right.score ? left.score > right.score : left.id < right.id;
}

// Lists of the bottom level may outgrow their final length by this, so that pruning runs once for many new links.
uint32_t slackOf(uint32_t degree0) {
  return std::max<uint32_t>(4, degree0 / 4);
}

// Whole cache lines where they cost at most an eighth more.
uint32_t fileStrideOf(uint32_t degree0) {
  const uint32_t lines = static_cast<uint32_t>(alignUp(degree0, kCacheLine / sizeof(uint32_t)));
  return lines - degree0 <= degree0 / 8 ? lines : degree0;
}

}  // namespace

HnswBuilder::HnswBuilder(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params)
    : simd_(simd),
      vectors_(std::move(vectors)),
      params_(params),
      rowCount_(vectors_->rows().rowCount),
      degree0_(params.flat ? params.degree : 2 * params.degree),
      capacity0_(degree0_ + slackOf(degree0_)),
      mean_(Quantizer::meanOf(vectors_->rows(), params.metric)),
      coder_(params.metric, vectors_->rows().dim, kBuildBits, params.seed, mean_),
      codes_(rowCount_ * coder_.stride() + kCodeChunk),
      links_(size_t{rowCount_} * capacity0_),
      linkScores_(size_t{rowCount_} * capacity0_),
      linkCounts_(rowCount_),
      locks_(new SpinLock[rowCount_]),
      fileCoder_(params.metric, vectors_->rows().dim, params.bits != 0 ? params.bits : Quantizer::bitsFor(vectors_->rows().dim),
                 params.seed, mean_) {
  if (!params.flat) drawLevels(params.seed);
}

void HnswBuilder::drawLevels(uint64_t seed) {
  const double scale = 1.0 / std::log(static_cast<double>(params_.degree));
  const uint64_t stream = mix64(seed ^ 0x6c6576656c73);
  size_t offset = 0;
  size_t countOffset = 0;
  for (uint32_t row = 0; row < rowCount_; row++) {
    const double drawn = -std::log(unitInterval(mix64(stream + row))) * scale;
    const auto level = static_cast<uint32_t>(std::min(drawn, static_cast<double>(kHnswLevelMax)));
    if (level == 0) continue;
    upperRow_.push_back(row);
    upperLevel_.push_back(static_cast<uint8_t>(level));
    upperOffset_.push_back(offset);
    upperCountOffset_.push_back(countOffset);
    offset += size_t{level} * (params_.degree + 1);
    countOffset += level;
  }
  upperLinks_.resize(offset);
  upperScores_.resize(offset);
  upperCounts_.resize(countOffset);
}

void HnswBuilder::encodeRows(uint32_t begin, uint32_t end) {
  Scratch& scratch = Scratch::local();
  for (uint32_t row = begin; row < end; row++) {
    coder_.encode(vectors_->rows().floats(row, scratch.row), codes_.data() + row * coder_.stride(), scratch.values);
  }
}

LinkList HnswBuilder::listOf(uint32_t level, uint32_t node) {
  if (level == 0) {
    const size_t offset = size_t{node} * capacity0_;
    return {links_.data() + offset, linkScores_.data() + offset, linkCounts_.data() + node};
  }
  const size_t offset = upperOffset_[node] + size_t{level - 1} * (params_.degree + 1);
  return {upperLinks_.data() + offset, upperScores_.data() + offset, upperCounts_.data() + upperCountOffset_[node] + level - 1};
}

size_t HnswBuilder::copyLinks(uint32_t level, uint32_t node, uint32_t* ids) {
  const LinkList list = listOf(level, node);
  const std::lock_guard<SpinLock> lock(lockOf(level, node));
  std::copy_n(list.ids, *list.count, ids);
  return *list.count;
}

void HnswBuilder::scoreNodes(uint32_t level, const CodeQuery& query, const uint32_t* nodes, size_t count, Scratch& scratch) {
  const uint32_t* rows = nodes;
  if (level > 0) {
    for (size_t i = 0; i < count; i++) scratch.hops[i] = upperRow_[nodes[i]];
    rows = scratch.hops.data();
  }
  simd_.scores8(coder_.table(codes_.data()), query, rows, count, scratch.scores.data());
}

void HnswBuilder::insertRows(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  Scratch& scratch = Scratch::local();
  scratch.reserveNeighbours(std::max<size_t>(capacity0_, params_.degree + 1) + kSelectBatch);
  for (uint32_t row = begin; row < end && !stopped.load(std::memory_order_relaxed); row++) insert(row, scratch);
}

void HnswBuilder::insert(uint32_t row, Scratch& scratch) {
  const auto found = std::lower_bound(upperRow_.begin(), upperRow_.end(), row);
  const bool isUpper = found != upperRow_.end() && *found == row;
  const auto upper = static_cast<uint32_t>(found - upperRow_.begin());
  const uint32_t level = isUpper ? upperLevel_[upper] : 0;

  std::unique_lock<std::mutex> entryLock(entryMutex_);
  const bool hadEntry = hasEntry_;
  const uint32_t entryRow = entryRow_;
  const uint32_t entryUpper = entryUpper_;
  const uint32_t entryLevel = topLevel_;
  const bool rises = !hadEntry || level > entryLevel;
  // A row that becomes the entry point is linked before any other row can start from it.
  if (!rises) entryLock.unlock();

  if (hadEntry) {
    coder_.prepareRow(codeOf(row), scratch.query);
    const uint32_t linkLevel = std::min(level, entryLevel);
    uint32_t start = entryLevel > 0 ? descendTo(linkLevel, entryUpper, entryLevel, scratch) : entryRow;
    for (uint32_t at = linkLevel; at > 0; at--) {
      searchLevel(at, start, scratch);
      if (scratch.pool.size() > 0) start = scratch.pool.at(0).id;
      chooseLinks(at, upper, scratch);
    }
    searchLevel(0, linkLevel > 0 ? upperRow_[start] : start, scratch);
    chooseLinks(0, row, scratch);
    // From the bottom up: whoever reaches this row on some level finds its links on every level below.
    linkBack(0, row, scratch);
    for (uint32_t at = 1; at <= linkLevel; at++) linkBack(at, upper, scratch);
  }
  if (!rises) return;
  hasEntry_ = true;
  entryRow_ = row;
  entryUpper_ = upper;
  topLevel_ = level;
}

/** Greedy from the entry point down to `level`: an upper id there, a row when `level` is 0. */
uint32_t HnswBuilder::descendTo(uint32_t level, uint32_t entryUpper, uint32_t entryLevel, Scratch& scratch) {
  uint32_t best = entryUpper;
  scoreNodes(entryLevel, scratch.query.code, &best, 1, scratch);
  float bestScore = scratch.scores[0];
  for (uint32_t at = entryLevel; at > level; at--) {
    for (bool moved = true; moved;) {
      moved = false;
      const size_t count = copyLinks(at, best, scratch.ids.data());
      scoreNodes(at, scratch.query.code, scratch.ids.data(), count, scratch);
      for (size_t i = 0; i < count; i++) {
        if (!(scratch.scores[i] > bestScore)) continue;
        bestScore = scratch.scores[i];
        best = scratch.ids[i];
        moved = true;
      }
    }
  }
  return level == 0 ? upperRow_[best] : best;
}

void HnswBuilder::searchLevel(uint32_t level, uint32_t entry, Scratch& scratch) {
  const size_t nodeCount = level == 0 ? rowCount_ : upperRow_.size();
  scratch.visited.reset(nodeCount);
  scratch.pool.reset(std::min<size_t>(params_.efConstruction, nodeCount));
  scratch.visited.add(entry);
  scoreNodes(level, scratch.query.code, &entry, 1, scratch);
  scratch.pool.offer(scratch.scores[0], entry);
  // An entry that cannot be scored (values not finite) still has neighbours worth seeing.
  uint32_t node = entry;
  if (scratch.pool.size() > 0) scratch.pool.takeBest(&node);
  do {
    const size_t linkCount = copyLinks(level, node, scratch.ids.data());
    size_t count = 0;
    for (size_t i = 0; i < linkCount; i++) {
      const uint32_t link = scratch.ids[i];
      if (!scratch.visited.insert(link)) continue;
      const uint8_t* code = codeOf(rowOfNode(level, link));
      for (size_t offset = 0; offset < coder_.stride(); offset += kCacheLine) __builtin_prefetch(code + offset);
      scratch.ids[count++] = link;
    }
    scoreNodes(level, scratch.query.code, scratch.ids.data(), count, scratch);
    for (size_t i = 0; i < count; i++) scratch.pool.offer(scratch.scores[i], scratch.ids[i]);
  } while (scratch.pool.takeBest(&node));
}

/** Chooses links for `self` from the pool. Nothing links to it on this level yet. */
void HnswBuilder::chooseLinks(uint32_t level, uint32_t self, Scratch& scratch) {
  std::vector<Candidate>& candidates = scratch.results;
  candidates.clear();
  for (size_t i = 0; i < scratch.pool.size(); i++) candidates.push_back(scratch.pool.at(i));
  const size_t count = select(level, candidates, params_.degree, scratch);
  const LinkList list = listOf(level, self);
  const std::lock_guard<SpinLock> lock(lockOf(level, self));
  for (size_t i = 0; i < count; i++) {
    list.ids[i] = candidates[i].id;
    list.scores[i] = candidates[i].score;
  }
  *list.count = static_cast<uint16_t>(count);
}

void HnswBuilder::linkBack(uint32_t level, uint32_t self, Scratch& scratch) {
  std::vector<Candidate>& chosen = scratch.frontier;
  chosen.clear();
  {
    const LinkList list = listOf(level, self);
    const std::lock_guard<SpinLock> lock(lockOf(level, self));
    for (size_t i = 0; i < *list.count; i++) chosen.push_back({list.scores[i], list.ids[i]});
  }
  for (const Candidate& link : chosen) addLink(level, link.id, self, link.score, scratch);
}

void HnswBuilder::addLink(uint32_t level, uint32_t from, uint32_t to, float score, Scratch& scratch) {
  const size_t capacity = level == 0 ? capacity0_ : params_.degree + 1;
  const size_t wanted = level == 0 ? degree0_ : params_.degree;
  const LinkList list = listOf(level, from);
  const std::lock_guard<SpinLock> lock(lockOf(level, from));
  if (std::find(list.ids, list.ids + *list.count, to) != list.ids + *list.count) return;
  list.ids[*list.count] = to;
  list.scores[*list.count] = score;
  ++*list.count;
  if (*list.count == capacity) prune(level, list, wanted, scratch);
}

/** Keeps at most `wanted` links by the heuristic. The list's lock is held. */
void HnswBuilder::prune(uint32_t level, const LinkList& list, size_t wanted, Scratch& scratch) {
  std::vector<Candidate>& candidates = scratch.results;
  candidates.clear();
  for (size_t i = 0; i < *list.count; i++) candidates.push_back({list.scores[i], list.ids[i]});
  std::sort(candidates.begin(), candidates.end(), closer);
  const size_t count = select(level, candidates, wanted, scratch);
  for (size_t i = 0; i < count; i++) {
    list.ids[i] = candidates[i].id;
    list.scores[i] = candidates[i].score;
  }
  *list.count = static_cast<uint16_t>(count);
}

/** Whether a chosen link makes one to the candidate needless, from the scores of the candidate with it and with the centre. */
bool HnswBuilder::covers(float between, float toCentre, bool relaxed) const {
  if (!relaxed) return between > toCentre;
  constexpr float kSquare = kRelaxation * kRelaxation;
  // Scores are minus squared distances, or products; of unit vectors 2 - 2 * product is one, of others there is no such relation.
  if (params_.metric == Metric::kL2) return kSquare * between > toCentre;
  return params_.metric == Metric::kInnerProduct || kSquare * (1 - between) < 1 - toCentre;
}

/** Whether the first `count` of `chosen` leave a use for a link to the candidate. */
bool HnswBuilder::isDiverse(uint32_t level, const Candidate& candidate, const std::vector<Candidate>& chosen, size_t count,
                            bool relaxed, Scratch& scratch) {
  if (count == 0) return true;
  coder_.prepareRow(codeOf(rowOfNode(level, candidate.id)), scratch.rowQuery);
  for (size_t begin = 0; begin < count; begin += kSelectBatch) {
    const size_t batch = std::min(kSelectBatch, count - begin);
    uint32_t rows[kSelectBatch];
    float scores[kSelectBatch];
    for (size_t j = 0; j < batch; j++) rows[j] = rowOfNode(level, chosen[begin + j].id);
    simd_.scores8(coder_.table(codes_.data()), scratch.rowQuery.code, rows, batch, scores);
    for (size_t j = 0; j < batch; j++) {
      if (covers(scores[j], candidate.score, relaxed)) return false;
    }
  }
  return true;
}

/**
 * Moves to the front, and counts, the candidates that are closer to their centre than to every candidate chosen before
 * them (algorithm 4): links in many directions instead of many links into one cluster. `sorted` is best first.
 */
size_t HnswBuilder::select(uint32_t level, std::vector<Candidate>& sorted, size_t wanted, Scratch& scratch) {
  std::vector<Candidate>& refused = scratch.refused;
  refused.clear();
  size_t chosen = 0;
  for (size_t i = 0; i < sorted.size() && chosen < wanted; i++) {
    const Candidate candidate = sorted[i];
    if (isDiverse(level, candidate, sorted, chosen, false, scratch)) {
      sorted[chosen++] = candidate;
    } else if (params_.flat) {
      refused.push_back(candidate);
    }
  }
  for (size_t i = 0; i < refused.size() && chosen < wanted; i++) {
    if (isDiverse(level, refused[i], sorted, chosen, true, scratch)) sorted[chosen++] = refused[i];
  }
  return chosen;
}

void HnswBuilder::prepareFinish() {
  if (!params_.flat) fileCodes_ = PageArray<uint8_t>(rowCount_ * fileCoder_.stride() + kCodeChunk);
  fileLinks_ = PageArray<uint32_t>(size_t{rowCount_} * fileStrideOf(degree0_));
}

void HnswBuilder::finishRows(uint32_t begin, uint32_t end) {
  Scratch& scratch = Scratch::local();
  const uint32_t stride = fileStrideOf(degree0_);
  double squaredErrors = 0;
  for (uint32_t row = begin; row < end; row++) {
    const LinkList list = listOf(0, row);
    if (*list.count > degree0_) prune(0, list, degree0_, scratch);
    uint32_t* links = fileLinks_.data() + size_t{row} * stride;
    std::copy_n(list.ids, *list.count, links);
    std::fill(links + *list.count, links + stride, kNoLink);
    if (params_.flat) continue;
    squaredErrors += fileCoder_.encode(vectors_->rows().floats(row, scratch.row), fileCodes_.data() + row * fileCoder_.stride(), scratch.values);
  }
  const std::lock_guard<std::mutex> lock(errorMutex_);
  squaredErrors_ += squaredErrors;
}

LinkTable HnswBuilder::connectLinks(uint32_t entry) {
  const LinkTable table{fileLinks_.data(), rowCount_, fileStrideOf(degree0_), degree0_};
  connectRows(table, entry);
  return table;
}

size_t HnswBuilder::write(const std::string& path) {
  connectLinks(entryRow_);
  HnswArrays arrays;
  arrays.meta.metric = static_cast<uint32_t>(params_.metric);
  arrays.meta.rowCount = rowCount_;
  arrays.meta.dim = vectors_->rows().dim;
  arrays.meta.vectorsChecksum = vectors_->checksum();
  arrays.meta.degree = params_.degree;
  arrays.meta.linkStride = fileStrideOf(degree0_);
  arrays.meta.bits = fileCoder_.bits();
  arrays.meta.upperCount = static_cast<uint32_t>(upperRow_.size());
  arrays.meta.entryUpper = upperRow_.empty() ? 0 : entryUpper_;
  arrays.meta.entryRow = entryRow_;
  arrays.meta.topLevel = topLevel_;
  arrays.meta.codeError = rowCount_ == 0 ? 0 : static_cast<float>(std::sqrt(squaredErrors_ / rowCount_));
  arrays.meta.rotationSeed = params_.seed;
  arrays.meta.efConstruction = params_.efConstruction;
  arrays.meta.kind = static_cast<uint32_t>(params_.kind) | (params_.refine ? kHnswRefine : 0);
  std::vector<uint32_t> upperLinks;
  for (uint32_t upper = 0; upper < upperRow_.size(); upper++) {
    for (uint32_t level = 1; level <= upperLevel_[upper]; level++) {
      const LinkList list = listOf(level, upper);
      upperLinks.insert(upperLinks.end(), list.ids, list.ids + *list.count);
      upperLinks.insert(upperLinks.end(), params_.degree - *list.count, kNoLink);
    }
  }
  arrays.mean = mean_;
  arrays.codes = fileCodes_.data();
  arrays.links = fileLinks_.data();
  arrays.upperRow = upperRow_.data();
  arrays.upperLevel = upperLevel_.data();
  arrays.upperLinks = upperLinks.data();
  arrays.upperLinkCount = upperLinks.size();
  return writeHnsw(path, arrays, fileCoder_.stride());
}

size_t HnswBuilder::peakBytes() const {
  return codes_.bytes() + links_.bytes() + linkScores_.bytes() + linkCounts_.bytes() + fileCodes_.bytes() +
         fileLinks_.bytes() + rowCount_ * sizeof(SpinLock) +
         upperLinks_.size() * (sizeof(uint32_t) + sizeof(float));
}

}  // namespace mishards
