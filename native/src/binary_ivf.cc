#include "binary_ivf.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "binary_ivf_sections.h"
#include "flat_search.h"
#include "scratch.h"

namespace mishards {
namespace {

constexpr uint32_t kListsMax = 65536;
// What an allowed row costs in a scan of all rows with a filter, against one of a list: it is met far from the one before.
constexpr double kScatteredCost = 2;
// With bounds, a search that has looked into its lists goes on until so many in a row give nothing.
constexpr uint32_t kEmptyListsMax = 2;

void checkMeta(const ContainerReader& reader, const BinaryIvfMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  if (rows.format != VectorFormat::kBinary || meta.rowCount != rows.rowCount || meta.dim != rows.dim ||
      meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  const auto metric = static_cast<Metric>(meta.metric);
  if (metric != Metric::kHamming && metric != Metric::kJaccard) reader.refuse("its metric is unknown");
  if (meta.nlist > kListsMax || meta.listCount == 0 || meta.listCount > meta.nlist) {
    reader.refuse("its lists are out of bounds");
  }
  for (const uint64_t value : meta.reserved) {
    if (value != 0) reader.refuse("its reserved bytes are not zero");
  }
}

/** Every row in one list. */
void checkLists(const ContainerReader& reader, const BinaryIvfMeta& meta, const uint32_t* offsets, const uint32_t* rowIds) {
  if (offsets[0] != 0 || offsets[meta.listCount] != meta.rowCount) reader.refuse("its lists do not hold the rows");
  for (size_t list = 0; list < meta.listCount; list++) {
    if (offsets[list] > offsets[list + 1]) reader.refuse("its lists overlap");
  }
  std::vector<bool> seen(meta.rowCount);
  for (size_t at = 0; at < meta.rowCount; at++) {
    if (rowIds[at] >= meta.rowCount || seen[rowIds[at]]) reader.refuse("a row is out of bounds or in two lists");
    seen[rowIds[at]] = true;
  }
}

bool nearer(const Candidate& left, const Candidate& right) {
  return left.score != right.score ? left.score > right.score : left.id < right.id;
}

}  // namespace

std::shared_ptr<BinaryIvfIndex> BinaryIvfIndex::open(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  using namespace binary_ivf_sections;
  std::shared_ptr<BinaryIvfIndex> index(new BinaryIvfIndex());
  size_t fileBytes = 0;
  index->pages_ = Pages::load(path, &fileBytes);
  const ContainerReader reader(path, index->pages_.data(), fileBytes, FileKind::kBinaryIvf);
  std::memcpy(&index->meta_, reader.expect(kMeta, sizeof(BinaryIvfMeta)), sizeof(BinaryIvfMeta));
  const BinaryIvfMeta& meta = index->meta_;
  checkMeta(reader, meta, *vectors);
  const size_t rowBytes = vectors->rows().rowBytes();
  const auto numbers = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const uint32_t*>(reader.expect(tag, count * sizeof(uint32_t)));
  };
  index->centres_ = {reader.expect(kCentres, meta.listCount * rowBytes), meta.listCount, meta.dim, VectorFormat::kBinary};
  index->offsets_ = numbers(kOffsets, size_t{meta.listCount} + 1);
  index->rowIds_ = numbers(kRows, meta.rowCount);
  index->lists_ = {reader.expect(kBits, meta.rowCount * rowBytes), meta.rowCount, meta.dim, VectorFormat::kBinary};
  checkLists(reader, meta, index->offsets_, index->rowIds_);
  for (size_t at = 0; at < meta.rowCount; at++) {
    if (std::memcmp(index->lists_.at(at), vectors->rows().at(index->rowIds_[at]), rowBytes) != 0) {
      reader.refuse("a row differs from its vector");
    }
  }
  index->vectors_ = std::move(vectors);
  return index;
}

/** In units of scoring one row of a list. */
bool BinaryIvfIndex::scanIsCheaper(const IndexRequest& request, uint32_t probes) const {
  const RowFilter& filter = request.filter;
  // Lists do not tell what earlier pages have passed over.
  if (filter.allowedCount <= request.k || request.bounds.isPage()) return true;
  const double probed = static_cast<double>(probes) / meta_.listCount * filter.rowCount;
  if (filter.bits == nullptr) return filter.rowCount <= meta_.listCount + probed;
  return kScatteredCost * filter.allowedCount <= meta_.listCount + probed;
}

bool BinaryIvfIndex::scanList(uint32_t list, const IndexRequest& request, const ExactScorer& score, TopK& result) const {
  bool found = false;
  for (size_t at = offsets_[list]; at < offsets_[list + 1]; at++) {
    const uint32_t row = rowIds_[at];
    if (!request.filter.allows(row)) continue;
    const float value = score(lists_.at(at));
    if (!request.bounds.keep(value)) continue;
    found = true;
    if (result.wants(value)) result.offer({value, request.source, row});
  }
  return found;
}

void BinaryIvfIndex::search(const IndexRequest& request, const QueryVector& query, TopK& result,
                            const std::atomic<bool>& stopped) const {
  if (request.filter.allowedCount == 0) return;
  const uint32_t probes = std::min(request.params.nprobe, meta_.listCount);
  const ExactScorer score(*request.simd, metric(), rows(), query);
  if (scanIsCheaper(request, probes)) {
    const FlatQueries one{&query, 1, &result};
    searchFlat(*request.simd, metric(), rows(), 0, rows().rowCount, request.filter, request.bounds, one, request.source,
               stopped);
    return;
  }
  std::vector<Candidate>& lists = Scratch::local().frontier;
  lists.clear();
  for (uint32_t list = 0; list < meta_.listCount; list++) lists.push_back({score(centres_.at(list)), list});
  std::sort(lists.begin(), lists.end(), nearer);
  const bool bounded = request.bounds.hasAbove || request.bounds.isBelow();
  uint32_t emptyLists = 0;
  for (uint32_t at = 0; at < lists.size() && !stopped.load(std::memory_order_relaxed); at++) {
    // A filter or bounds may leave the nearest lists with too little; then the next ones are looked into too.
    const bool isEnough = result.hits().size() >= request.k || (bounded && emptyLists >= kEmptyListsMax);
    if (at >= probes && isEnough) return;
    emptyLists = scanList(lists[at].id, request, score, result) ? 0 : emptyLists + 1;
  }
}

}  // namespace mishards
