#pragma once

#include <memory>
#include <string>
#include <vector>

#include "container.h"
#include "kmeans.h"
#include "memory.h"
#include "vector_index.h"

namespace mishards {

/** How the rows of the lists are stored. */
enum class IvfCodec : uint32_t { kFlat = 0 };

/** The fixed part of an index file, section META. */
struct IvfMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t dim;
  uint32_t vectorsChecksum;
  uint32_t codec;
  /** Lists there are; at most `nlist`, which was asked for. */
  uint32_t listCount;
  uint32_t nlist;
  uint32_t reserved[5];
  uint64_t seed;
  uint64_t reserved2;
};
static_assert(sizeof(IvfMeta) == 64);

constexpr uint32_t kIvfListsMax = 65536;

/** Sections of the file. */
namespace ivf_sections {
constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kMean = sectionTag("MEAN");
constexpr uint32_t kCentroids = sectionTag("CENT");
constexpr uint32_t kOffsets = sectionTag("LOFF");
constexpr uint32_t kRows = sectionTag("ROWS");
constexpr uint32_t kCodes = sectionTag("CODE");
}  // namespace ivf_sections

/**
 * Rows in lists by their nearest centre (Sivic and Zisserman 2003; Jegou et al. 2011, without the residuals): a search looks
 * into the lists whose centres are nearest to the query.
 */
class IvfIndex : public VectorIndex {
 public:
  static std::shared_ptr<IvfIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override { return "IVF_FLAT"; }
  Metric metric() const override { return static_cast<Metric>(meta_.metric); }
  const VectorRows& rows() const override { return vectors_->rows(); }
  size_t bytes() const override { return pages_.size(); }
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

  const IvfMeta& meta() const { return meta_; }
  const ClusterSpace& space() const { return *space_; }
  CentroidTable centroids() const { return {centroids_, biases_.data(), meta_.listCount, meta_.dim}; }
  uint32_t listBegin(uint32_t list) const { return offsets_[list]; }
  uint32_t listEnd(uint32_t list) const { return offsets_[list + 1]; }
  /** Of a position in the lists. */
  uint32_t rowAt(size_t position) const { return rowIds_[position]; }
  const float* vectorAt(size_t position) const { return reinterpret_cast<const float*>(codes_) + position * meta_.dim; }

 private:
  IvfIndex() = default;

  Pages pages_;
  std::shared_ptr<VectorFile> vectors_;
  IvfMeta meta_{};
  std::unique_ptr<ClusterSpace> space_;
  std::vector<float> biases_;
  const float* centroids_ = nullptr;
  const uint32_t* offsets_ = nullptr;
  const uint32_t* rowIds_ = nullptr;
  const uint8_t* codes_ = nullptr;
};

}  // namespace mishards
