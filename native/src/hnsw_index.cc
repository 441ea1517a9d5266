#include "hnsw_index.h"

#include <cmath>
#include <cstring>

#include "candidate_pool.h"
#include "container.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kMean = sectionTag("MEAN");
constexpr uint32_t kCodes = sectionTag("CODE");
constexpr uint32_t kLinks = sectionTag("LNK0");
constexpr uint32_t kUpperRows = sectionTag("UROW");
constexpr uint32_t kUpperLevels = sectionTag("ULVL");
constexpr uint32_t kUpperLinks = sectionTag("ULNK");

void checkMeta(const ContainerReader& reader, const HnswMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  const bool hasNumbers = rows.format != VectorFormat::kBinary && rows.format != VectorFormat::kSparse;
  if (!hasNumbers || meta.rowCount != rows.rowCount || meta.dim != rows.dim ||
      meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  if (meta.metric >= kMetricCount) reader.refuse("its metric is unknown");
  if (meta.bits != 4 && meta.bits != 8) reader.refuse("its codes have " + std::to_string(meta.bits) + " bits");
  if ((meta.kind & ~kHnswRefine) >= kHnswKindCount) reader.refuse("its kind of graph is unknown");
  if (meta.degree < 2 || meta.degree > kHnswDegreeMax) reader.refuse("its degree is " + std::to_string(meta.degree));
  if (meta.linkStride < 2 * meta.degree || meta.linkStride > 4 * kHnswDegreeMax) reader.refuse("its links are misplaced");
  if (meta.rowCount >= CandidatePool::kIdEnd) reader.refuse("it has too many rows");
  if (meta.upperCount > meta.rowCount || meta.topLevel > kHnswLevelMax) reader.refuse("its levels are out of bounds");
  if ((meta.upperCount == 0) != (meta.topLevel == 0)) reader.refuse("its levels contradict its upper nodes");
  if (meta.upperCount > 0 && meta.entryUpper >= meta.upperCount) reader.refuse("its entry point is out of bounds");
  if (meta.rowCount > 0 && meta.entryRow >= meta.rowCount) reader.refuse("its entry point is out of bounds");
  if (!std::isfinite(meta.codeError) || meta.codeError < 0) reader.refuse("its code error is not a number");
}

/** Every id accepted up to the first kNoLink, and nothing but kNoLink after it. */
template <typename Accepts>
bool linksAreValid(const uint32_t* links, size_t capacity, size_t stride, Accepts accepts) {
  size_t at = 0;
  for (; at < capacity && links[at] != kNoLink; at++) {
    if (!accepts(links[at])) return false;
  }
  for (; at < stride; at++) {
    if (links[at] != kNoLink) return false;
  }
  return true;
}

void checkLinks(const ContainerReader& reader, const HnswArrays& arrays) {
  const HnswMeta& meta = arrays.meta;
  for (size_t row = 0; row < meta.rowCount; row++) {
    const auto inRange = [&](uint32_t link) { return link < meta.rowCount; };
    if (!linksAreValid(arrays.links + row * meta.linkStride, 2 * size_t{meta.degree}, meta.linkStride, inRange)) {
      reader.refuse("a link is out of bounds");
    }
  }
}

void checkFactors(const ContainerReader& reader, const HnswArrays& arrays, const Quantizer& quantizer) {
  for (const float value : arrays.mean) {
    if (!std::isfinite(value)) reader.refuse("its mean is not a number");
  }
  for (size_t row = 0; row < arrays.meta.rowCount; row++) {
    float factors[2];
    std::memcpy(factors, arrays.codes + row * quantizer.stride() + quantizer.factorOffset(), sizeof factors);
    if (!std::isfinite(factors[0]) || !std::isfinite(factors[1])) reader.refuse("a code's factor is not a number");
  }
}

/** Offsets of the upper nodes' links; checks levels first, so that the links have a place. */
std::vector<size_t> upperOffsets(const ContainerReader& reader, const HnswArrays& arrays) {
  const HnswMeta& meta = arrays.meta;
  std::vector<size_t> offsets(meta.upperCount);
  size_t offset = 0;
  for (size_t upper = 0; upper < meta.upperCount; upper++) {
    const uint32_t level = arrays.upperLevel[upper];
    if (level == 0 || level > meta.topLevel) reader.refuse("a level is out of bounds");
    if (arrays.upperRow[upper] >= meta.rowCount) reader.refuse("an upper node is out of bounds");
    offsets[upper] = offset;
    offset += size_t{level} * meta.degree;
  }
  if (meta.upperCount > 0 && arrays.upperLevel[meta.entryUpper] != meta.topLevel) {
    reader.refuse("its entry point is not on the top level");
  }
  if (offset != arrays.upperLinkCount) reader.refuse("its upper links have the wrong size");
  return offsets;
}

void checkUpperLinks(const ContainerReader& reader, const HnswArrays& arrays, const std::vector<size_t>& offsets) {
  const HnswMeta& meta = arrays.meta;
  for (size_t upper = 0; upper < meta.upperCount; upper++) {
    for (uint32_t level = 1; level <= arrays.upperLevel[upper]; level++) {
      const auto reaches = [&](uint32_t link) { return link < meta.upperCount && arrays.upperLevel[link] >= level; };
      const uint32_t* links = arrays.upperLinks + offsets[upper] + size_t{level - 1} * meta.degree;
      if (!linksAreValid(links, meta.degree, meta.degree, reaches)) reader.refuse("an upper link is out of bounds");
    }
  }
}

}  // namespace

size_t writeHnsw(const std::string& path, const HnswArrays& arrays, size_t codeStride) {
  const HnswMeta& meta = arrays.meta;
  const size_t rowCount = meta.rowCount;
  ContainerWriter writer(path, FileKind::kHnsw);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kMean, arrays.mean.data(), arrays.mean.size() * sizeof(float));
  writer.add(kCodes, arrays.codes, rowCount * codeStride);
  writer.add(kLinks, arrays.links, rowCount * meta.linkStride * sizeof(uint32_t));
  writer.add(kUpperRows, arrays.upperRow, meta.upperCount * sizeof(uint32_t));
  writer.add(kUpperLevels, arrays.upperLevel, meta.upperCount);
  writer.add(kUpperLinks, arrays.upperLinks, arrays.upperLinkCount * sizeof(uint32_t));
  return writer.finish();
}

const char* HnswIndex::type() const {
  static constexpr const char* kNames[kHnswKindCount] = {"HNSW", "HNSW_SQ", "HNSW_PQ", "HNSW_PRQ"};
  return kNames[arrays_.meta.kind & ~kHnswRefine];
}

std::shared_ptr<HnswIndex> HnswIndex::open(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  std::shared_ptr<HnswIndex> index(new HnswIndex());
  size_t fileBytes = 0;
  index->pages_ = Pages::load(path, &fileBytes);
  const ContainerReader reader(path, index->pages_.data(), fileBytes, FileKind::kHnsw);
  HnswArrays& arrays = index->arrays_;
  arrays.meta = *reinterpret_cast<const HnswMeta*>(reader.expect(kMeta, sizeof(HnswMeta)));
  const HnswMeta& meta = arrays.meta;
  checkMeta(reader, meta, *vectors);
  const auto* mean = reinterpret_cast<const float*>(reader.expect(kMean, meta.dim * sizeof(float)));
  arrays.mean.assign(mean, mean + meta.dim);
  index->quantizer_ = std::make_unique<Quantizer>(static_cast<Metric>(meta.metric), meta.dim, meta.bits,
                                                  meta.rotationSeed, arrays.mean);
  const size_t rowCount = meta.rowCount;
  const auto numbers = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const uint32_t*>(reader.expect(tag, count * sizeof(uint32_t)));
  };
  arrays.codes = reader.expect(kCodes, rowCount * index->quantizer_->stride());
  arrays.links = numbers(kLinks, rowCount * meta.linkStride);
  arrays.upperRow = numbers(kUpperRows, meta.upperCount);
  arrays.upperLevel = reader.expect(kUpperLevels, meta.upperCount);
  arrays.upperLinkCount = reader.sectionSize(kUpperLinks) / sizeof(uint32_t);
  arrays.upperLinks = numbers(kUpperLinks, arrays.upperLinkCount);
  checkLinks(reader, arrays);
  checkFactors(reader, arrays, *index->quantizer_);
  index->upperOffset_ = upperOffsets(reader, arrays);
  checkUpperLinks(reader, arrays, index->upperOffset_);
  index->vectors_ = std::move(vectors);
  return index;
}

}  // namespace mishards
