#include "disk_index.h"

#include <cmath>
#include <cstddef>

#include "candidate_pool.h"
#include "cpu.h"
#include "crc32c.h"
#include "hnsw_index.h"

namespace mishards {
namespace {

void checkMeta(const ContainerReader& reader, const DiskMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  const bool hasNumbers = rows.format != VectorFormat::kBinary && rows.format != VectorFormat::kSparse;
  if (!hasNumbers || meta.rowCount != rows.rowCount || meta.dim != rows.dim ||
      meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  if (meta.metric >= kMetricCount) reader.refuse("its metric is unknown");
  if (meta.degree == 0 || meta.degree > kDiskDegreeMax) reader.refuse("its degree is " + std::to_string(meta.degree));
  if (meta.searchList == 0) reader.refuse("it was built with an empty list of candidates");
  if (meta.rowCount >= CandidatePool::kIdEnd) reader.refuse("it has too many rows");
  if (meta.entryRow != 0 && meta.entryRow >= meta.rowCount) reader.refuse("its entry point is out of bounds");
  if (meta.parts == 0 || meta.parts > meta.dim) reader.refuse("its codes have " + std::to_string(meta.parts) + " parts");
  if (!std::isfinite(meta.codeError) || meta.codeError < 0) reader.refuse("its code error is not a number");
}

bool areZeros(const uint8_t* begin, const uint8_t* end) {
  for (const uint8_t* at = begin; at < end; at++) {
    if (*at != 0) return false;
  }
  return true;
}

/** Every id accepted up to the first kNoLink, and nothing but kNoLink after it. */
bool areLinks(const uint32_t* links, uint32_t degree, uint32_t rowCount) {
  uint32_t at = 0;
  while (at < degree && links[at] < rowCount) at++;
  while (at < degree && links[at] == kNoLink) at++;
  return at == degree;
}

}  // namespace

std::shared_ptr<DiskIndex> DiskIndex::open(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  using namespace disk_sections;
  std::shared_ptr<DiskIndex> index(new DiskIndex());
  index->pages_ = Pages::map(path);
  const Pages& pages = index->pages_;
  advise(pages.data(), pages.size(), Advice::kSequential);
  const ContainerReader reader(path, pages.data(), pages.size(), FileKind::kDisk);
  const uint8_t* head = reader.expect(kMeta, kMetaBytes);
  if (!areZeros(head + offsetof(DiskMeta, reserved2), head + kMetaBytes)) reader.refuse("its first page is not filled up with zeros");
  index->meta_ = *reinterpret_cast<const DiskMeta*>(head);
  if (index->meta_.reserved != 0) reader.refuse("its reserved bytes are not zero");
  checkMeta(reader, index->meta_, *vectors);
  index->vectors_ = std::move(vectors);
  index->layout_ = std::make_unique<NodeLayout>(index->rows().rowBytes(), index->meta_.degree, index->meta_.rowCount);
  index->nodes_ = reader.expect(kNodes, index->layout_->bytes());
  if (reader.sectionOffset(kNodes) != kFilePage) reader.refuse("its nodes do not begin with its second page");
  index->checkNodes(reader);
  index->openCodes(reader);
  // Walks jump about; what checking has brought in need not stay for them.
  advise(pages.data(), pages.size(), Advice::kRandom);
  advise(pages.data(), pages.size(), Advice::kUnused);
  return index;
}

/** Vectors are those of the file it was built over, links lead to rows, and there is nothing between nodes. */
void DiskIndex::checkNodes(const ContainerReader& reader) const {
  const NodeLayout& layout = *layout_;
  const size_t rowBytes = rows().rowBytes();
  uint32_t checksum = 0;
  for (uint32_t row = 0; row < meta_.rowCount; row++) {
    const uint8_t* node = nodeOf(row);
    checksum = crc32c(node, rowBytes, checksum);
    if (!areZeros(node + rowBytes, node + layout.linksAt())) reader.refuse("a node has something after its vector");
    if (!areLinks(linksOf(node), layout.degree(), meta_.rowCount)) reader.refuse("a link is out of bounds");
    const bool isLast = row + 1 == meta_.rowCount || (row + 1) % layout.groupNodes() == 0;
    const uint8_t* groupEnd = nodes_ + (row / layout.groupNodes() + 1) * layout.groupBytes();
    if (isLast && !areZeros(node + layout.nodeBytes(), groupEnd)) reader.refuse("a page has something after its nodes");
  }
  if (checksum != meta_.vectorsChecksum) reader.refuse("its nodes hold other vectors");
}

void DiskIndex::openCodes(const ContainerReader& reader) {
  using namespace disk_sections;
  const size_t dim = meta_.dim;
  const auto floats = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const float*>(reader.expect(tag, count * sizeof(float)));
  };
  const float* mean = floats(kMean, dim);
  for (size_t i = 0; i < dim; i++) {
    if (!std::isfinite(mean[i])) reader.refuse("its mean is not a number");
  }
  space_ = std::make_unique<RowSpace>(metric(), std::vector<float>(mean, mean + dim));
  const float* book = floats(ProductCoder::kBook, dim << kRowCodeBits);
  const ProductCoder coder(*availableSimd().front(), space_->codes(), meta_.parts, kRowCodeBits, book);
  const uint8_t* codes = reader.expect(kCodes, size_t{meta_.rowCount} * meta_.parts);
  const float* biases = floats(kFactors, meta_.rowCount);
  const uint32_t offsets[] = {0, meta_.rowCount};
  coder.check(reader, {offsets, nullptr, 1, nullptr}, {codes, biases, meta_.codeError});
  codes_ = std::make_unique<RowCodes>(coder, meta_.rowCount, codes, biases, meta_.codeError);
}

}  // namespace mishards
