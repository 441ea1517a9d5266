#include "ivf_index.h"

#include <cmath>

#include "failure.h"

namespace mishards {
namespace {

void checkMeta(const ContainerReader& reader, const IvfMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  if (meta.rowCount != rows.rowCount || meta.dim != rows.dim || meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  if (meta.metric >= kMetricCount) reader.refuse("its metric is unknown");
  if (meta.codec != static_cast<uint32_t>(IvfCodec::kFlat)) reader.refuse("its codes are unknown");
  if (meta.nlist == 0 || meta.nlist > kIvfListsMax) reader.refuse("its nlist is " + std::to_string(meta.nlist));
  if (meta.listCount == 0 || meta.listCount > meta.nlist) reader.refuse("its lists are out of bounds");
}

void checkFinite(const ContainerReader& reader, const float* values, size_t count, const char* what) {
  for (size_t i = 0; i < count; i++) {
    if (!std::isfinite(values[i])) reader.refuse(std::string(what) + " is not a number");
  }
}

void checkLists(const ContainerReader& reader, const IvfMeta& meta, const uint32_t* offsets, const uint32_t* rowIds) {
  if (offsets[0] != 0 || offsets[meta.listCount] != meta.rowCount) reader.refuse("its lists do not hold its rows");
  for (uint32_t list = 0; list < meta.listCount; list++) {
    if (offsets[list] > offsets[list + 1]) reader.refuse("its lists overlap");
  }
  std::vector<bool> seen(meta.rowCount, false);
  for (uint32_t at = 0; at < meta.rowCount; at++) {
    if (rowIds[at] >= meta.rowCount || seen[rowIds[at]]) reader.refuse("a row is not in exactly one list");
    seen[rowIds[at]] = true;
  }
}

}  // namespace

std::shared_ptr<IvfIndex> IvfIndex::open(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  using namespace ivf_sections;
  std::shared_ptr<IvfIndex> index(new IvfIndex());
  index->pages_ = Pages::map(path);
  const ContainerReader reader(path, index->pages_.data(), index->pages_.size(), FileKind::kIvf);
  index->meta_ = *reinterpret_cast<const IvfMeta*>(reader.expect(kMeta, sizeof(IvfMeta)));
  const IvfMeta& meta = index->meta_;
  checkMeta(reader, meta, *vectors);
  const size_t dim = meta.dim;
  const size_t rowCount = meta.rowCount;
  const auto floats = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const float*>(reader.expect(tag, count * sizeof(float)));
  };
  const auto numbers = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const uint32_t*>(reader.expect(tag, count * sizeof(uint32_t)));
  };
  const float* mean = floats(kMean, dim);
  index->centroids_ = floats(kCentroids, meta.listCount * dim);
  index->offsets_ = numbers(kOffsets, size_t{meta.listCount} + 1);
  index->rowIds_ = numbers(kRows, rowCount);
  index->codes_ = reader.expect(kCodes, rowCount * dim * sizeof(float));
  checkFinite(reader, mean, dim, "its mean");
  checkFinite(reader, index->centroids_, meta.listCount * dim, "a centre");
  checkLists(reader, meta, index->offsets_, index->rowIds_);
  index->space_ = std::make_unique<ClusterSpace>(static_cast<Metric>(meta.metric), std::vector<float>(mean, mean + dim));
  index->biases_ = centroidBiases(index->centroids_, meta.listCount, meta.dim, index->space_->spherical());
  index->vectors_ = std::move(vectors);
  return index;
}

}  // namespace mishards
