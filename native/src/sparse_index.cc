#include "sparse_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"

namespace mishards {
namespace {

void checkMeta(const ContainerReader& reader, const SparseMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  if (rows.format != VectorFormat::kSparse || meta.rowCount != rows.rowCount ||
      meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  const auto metric = static_cast<Metric>(meta.metric);
  if (metric != Metric::kInnerProduct && metric != Metric::kBm25) reader.refuse("its metric is unknown");
  if (meta.algorithm >= kSparseAlgorithmCount || meta.isWand > 1) reader.refuse("its algorithm is unknown");
  if (meta.entryCount > vectors.sparseRows().offsets[meta.rowCount]) reader.refuse("it has too many entries");
  if (meta.termCount > meta.entryCount) reader.refuse("it has too many dimensions");
  for (const uint64_t value : meta.reserved) {
    if (value != 0) reader.refuse("its reserved bytes are not zero");
  }
}

}  // namespace

std::shared_ptr<SparseIndex> SparseIndex::open(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  using namespace sparse_sections;
  std::shared_ptr<SparseIndex> index(new SparseIndex());
  size_t fileBytes = 0;
  index->pages_ = Pages::load(path, &fileBytes);
  const ContainerReader reader(path, index->pages_.data(), fileBytes, FileKind::kSparse);
  std::memcpy(&index->meta_, reader.expect(kMeta, sizeof(SparseMeta)), sizeof(SparseMeta));
  const SparseMeta& meta = index->meta_;
  checkMeta(reader, meta, *vectors);
  const auto numbers = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const uint32_t*>(reader.expect(tag, count * sizeof(uint32_t)));
  };
  index->terms_ = numbers(kTerms, meta.termCount);
  index->offsets_ = numbers(kOffsets, size_t{meta.termCount} + 1);
  index->rowIds_ = numbers(kRows, meta.entryCount);
  index->values_ = reinterpret_cast<const float*>(numbers(kValues, meta.entryCount));
  index->check(reader);
  index->vectors_ = std::move(vectors);
  index->computeLengths();
  index->computeBlocks();
  return index;
}

void SparseIndex::check(const ContainerReader& reader) const {
  if (offsets_[0] != 0 || offsets_[meta_.termCount] != meta_.entryCount) reader.refuse("its postings do not fill it");
  for (size_t term = 0; term < meta_.termCount; term++) {
    if (terms_[term] == kNoDimension || (term > 0 && terms_[term] <= terms_[term - 1])) {
      reader.refuse("its dimensions do not ascend");
    }
    if (offsets_[term] >= offsets_[term + 1]) reader.refuse("a dimension has no postings");
  }
  const bool isBm25 = metric() == Metric::kBm25;
  for (size_t term = 0; term < meta_.termCount; term++) {
    for (size_t at = offsets_[term]; at < offsets_[term + 1]; at++) {
      if (rowIds_[at] >= meta_.rowCount) reader.refuse("a row is out of bounds");
      if (at > offsets_[term] && rowIds_[at] <= rowIds_[at - 1]) reader.refuse("the rows of a dimension do not ascend");
      if (!std::isfinite(values_[at]) || (isBm25 && values_[at] < 0)) reader.refuse("a value is out of bounds");
    }
  }
}

void SparseIndex::computeLengths() {
  if (metric() != Metric::kBm25) return;
  lengths_.resize(meta_.rowCount);
  for (size_t row = 0; row < meta_.rowCount; row++) {
    lengths_[row] = static_cast<float>(lengthOf(vectors_->sparseRows().row(row)));
  }
}

void SparseIndex::computeBlocks() {
  firstBlock_.reserve(meta_.termCount);
  for (size_t term = 0; term < meta_.termCount; term++) {
    firstBlock_.push_back(static_cast<uint32_t>(blocks_.size()));
    for (size_t begin = offsets_[term]; begin < offsets_[term + 1]; begin += kPostingBlock) {
      const size_t end = std::min<size_t>(offsets_[term + 1], begin + kPostingBlock);
      const auto [min, max] = std::minmax_element(values_ + begin, values_ + end);
      float length = lengths_.empty() ? 0 : lengths_[rowIds_[begin]];
      for (size_t at = begin; at < end && !lengths_.empty(); at++) length = std::min(length, lengths_[rowIds_[at]]);
      blocks_.push_back({*max, *min, length, rowIds_[begin]});
    }
  }
}

size_t SparseIndex::bytes() const {
  return pages_.size() + lengths_.size() * sizeof(float) + blocks_.size() * sizeof(PostingBlock) +
         firstBlock_.size() * sizeof(uint32_t);
}

Postings SparseIndex::postingsOf(uint32_t dimension) const {
  const uint32_t* end = terms_ + meta_.termCount;
  const uint32_t* found = std::lower_bound(terms_, end, dimension);
  if (found == end || *found != dimension) return {};
  const auto term = static_cast<size_t>(found - terms_);
  const uint32_t begin = offsets_[term];
  return {rowIds_ + begin, values_ + begin, offsets_[term + 1] - begin, blocks_.data() + firstBlock_[term]};
}

}  // namespace mishards
