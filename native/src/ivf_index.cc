#include "ivf_index.h"

#include <cmath>

#include "cpu.h"
#include "failure.h"
#include "level_coder.h"
#include "product_coder.h"
#include "rabitq_coder.h"

namespace mishards {
namespace {

void checkMeta(const ContainerReader& reader, const IvfMeta& meta, const VectorFile& vectors) {
  const VectorRows& rows = vectors.rows();
  const bool hasNumbers = rows.format != VectorFormat::kBinary && rows.format != VectorFormat::kSparse;
  if (!hasNumbers || meta.rowCount != rows.rowCount || meta.dim != rows.dim ||
      meta.vectorsChecksum != vectors.checksum()) {
    reader.refuse("it was built over other vectors");
  }
  if (meta.metric >= kMetricCount) reader.refuse("its metric is unknown");
  if (meta.kind >= kIvfKindCount) reader.refuse("its kind of lists is unknown");
  if (meta.nlist == 0 || meta.nlist > kIvfListsMax) reader.refuse("its nlist is " + std::to_string(meta.nlist));
  if (meta.listCount == 0 || meta.listCount > meta.nlist) reader.refuse("its lists are out of bounds");
  if (!std::isfinite(meta.codeError) || meta.codeError < 0) reader.refuse("its code error is not a number");
  const auto kind = static_cast<IvfKind>(meta.kind);
  if (kind != IvfKind::kPq && kind != IvfKind::kScann) return;
  if (meta.parts == 0 || meta.parts > meta.dim) reader.refuse("its codes have " + std::to_string(meta.parts) + " parts");
  if (meta.bits != 4 && meta.bits != 8) reader.refuse("its codes have " + std::to_string(meta.bits) + " bits");
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

/** As `makeCoder`, with what the coder had learnt. */
std::unique_ptr<ListCoder> openCoder(const ContainerReader& reader, const IvfMeta& meta, const CodeSpace& space) {
  const Simd& simd = *availableSimd().front();
  const auto floats = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const float*>(reader.expect(tag, count * sizeof(float)));
  };
  switch (static_cast<IvfKind>(meta.kind)) {
    case IvfKind::kFlat:
      return nullptr;
    case IvfKind::kSq8: {
      const float* mean = floats(LevelCoder::kMean, meta.dim);
      return std::make_unique<LevelCoder>(static_cast<Metric>(meta.metric), meta.dim, meta.seed,
                                          std::vector<float>(mean, mean + meta.dim));
    }
    case IvfKind::kPq:
    case IvfKind::kScann: {
      const float* book = floats(ProductCoder::kBook, size_t{meta.dim} << meta.bits);
      return std::make_unique<ProductCoder>(simd, space, meta.parts, meta.bits, book);
    }
    case IvfKind::kRabitq:
      return std::make_unique<RabitqCoder>(simd, space, meta.seed);
  }
  return nullptr;
}

}  // namespace

const char* ivfKindName(IvfKind kind) {
  static constexpr const char* kNames[kIvfKindCount] = {"IVF_FLAT", "IVF_SQ8", "IVF_PQ", "IVF_RABITQ", "SCANN"};
  return kNames[static_cast<uint32_t>(kind)];
}

std::unique_ptr<ListCoder> makeCoder(const IvfMeta& meta, const Simd& simd, const CodeSpace& space, const VectorRows& rows) {
  switch (static_cast<IvfKind>(meta.kind)) {
    case IvfKind::kFlat:
      return nullptr;
    case IvfKind::kSq8: {
      const auto metric = static_cast<Metric>(meta.metric);
      return std::make_unique<LevelCoder>(metric, meta.dim, meta.seed, Quantizer::meanOf(rows, metric));
    }
    case IvfKind::kPq:
    case IvfKind::kScann:
      return std::make_unique<ProductCoder>(simd, space, meta.parts, meta.bits, meta.seed);
    case IvfKind::kRabitq:
      return std::make_unique<RabitqCoder>(simd, space, meta.seed);
  }
  return nullptr;
}

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
  const uint32_t* offsets = numbers(kOffsets, size_t{meta.listCount} + 1);
  const uint32_t* rowIds = numbers(kRows, rowCount);
  checkFinite(reader, mean, dim, "its mean");
  checkFinite(reader, index->centroids_, meta.listCount * dim, "a centre");
  checkLists(reader, meta, offsets, rowIds);
  index->space_ = std::make_unique<ClusterSpace>(static_cast<Metric>(meta.metric), std::vector<float>(mean, mean + dim));
  index->biases_ = centroidBiases(index->centroids_, meta.listCount, meta.dim, index->space_->spherical());
  index->blocks_ = blockStarts(offsets, meta.listCount);
  index->layout_ = {offsets, rowIds, meta.listCount, index->blocks_.data()};
  index->vectors_ = std::move(vectors);
  index->openCodes(reader);
  return index;
}

void IvfIndex::openCodes(const ContainerReader& reader) {
  using namespace ivf_sections;
  if (static_cast<IvfKind>(meta_.kind) == IvfKind::kFlat) {
    codes_.codes = reader.expect(kCodes, meta_.rowCount * rows().rowBytes());
    return;
  }
  const auto* scales = reinterpret_cast<const float*>(reader.expect(kScales, meta_.listCount * sizeof(float)));
  checkFinite(reader, scales, meta_.listCount, "a list's scale");
  codeSpace_ = {space_.get(), centroids(), scales};
  coder_ = openCoder(reader, meta_, codeSpace_);
  codes_.codes = reader.expect(kCodes, coder_->codeBytes(layout_));
  codes_.factors = reinterpret_cast<const float*>(reader.expect(kFactors, coder_->factorCount(layout_) * sizeof(float)));
  codes_.codeError = meta_.codeError;
  coder_->check(reader, layout_, codes_);
}

}  // namespace mishards
