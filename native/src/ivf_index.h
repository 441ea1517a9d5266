#pragma once

#include <memory>
#include <string>
#include <vector>

#include "container.h"
#include "kmeans.h"
#include "list_coder.h"
#include "memory.h"
#include "vector_index.h"

namespace mishards {

/** The types of lists, by how their rows are stored. */
enum class IvfKind : uint32_t { kFlat = 0, kSq8 = 1, kPq = 2, kRabitq = 3, kScann = 4 };
constexpr uint32_t kIvfKindCount = 5;
/** Milvus's names. */
const char* ivfKindName(IvfKind kind);

/** The fixed part of an index file, section META. */
struct IvfMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t dim;
  uint32_t vectorsChecksum;
  uint32_t kind;
  /** Lists there are; at most `nlist`, which was asked for. */
  uint32_t listCount;
  uint32_t nlist;
  /** Of product codes: runs of dimensions, and bits of the code of each. */
  uint32_t parts;
  uint32_t bits;
  /** Whether `refine_k` counts. */
  uint32_t refine;
  /** Root of the mean squared error of the codes: how far an estimate may be off. */
  float codeError;
  uint32_t reserved;
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
constexpr uint32_t kScales = sectionTag("SCAL");
constexpr uint32_t kFactors = sectionTag("FACT");
}  // namespace ivf_sections

/** What codes the rows of an index that does not hold them as they are. */
std::unique_ptr<ListCoder> makeCoder(const IvfMeta& meta, const Simd& simd, const CodeSpace& space, const VectorRows& rows);

/**
 * Rows in lists by their nearest centre (Sivic and Zisserman 2003; Jegou et al. 2011, without the residuals): a search looks
 * into the lists whose centres are nearest to the query.
 */
class IvfIndex : public VectorIndex {
 public:
  static std::shared_ptr<IvfIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override { return ivfKindName(static_cast<IvfKind>(meta_.kind)); }
  Metric metric() const override { return static_cast<Metric>(meta_.metric); }
  const VectorRows& rows() const override { return vectors_->rows(); }
  size_t bytes() const override { return pages_.size(); }
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

  const IvfMeta& meta() const { return meta_; }
  const ClusterSpace& space() const { return *space_; }
  CentroidTable centroids() const { return {centroids_, biases_.data(), meta_.listCount, meta_.dim}; }
  const ListLayout& layout() const { return layout_; }
  /** Null when the lists hold the vectors themselves. */
  const ListCoder* coder() const { return coder_.get(); }
  const ListCodes& codes() const { return codes_; }
  /** The vector at a position, without a coder. */
  const void* vectorAt(size_t position) const { return codes_.codes + position * rows().rowBytes(); }

 private:
  IvfIndex() = default;
  void openCodes(const ContainerReader& reader);

  Pages pages_;
  std::shared_ptr<VectorFile> vectors_;
  IvfMeta meta_{};
  std::unique_ptr<ClusterSpace> space_;
  std::vector<float> biases_;
  const float* centroids_ = nullptr;
  std::vector<uint32_t> blocks_;
  ListLayout layout_{};
  CodeSpace codeSpace_;
  std::unique_ptr<ListCoder> coder_;
  ListCodes codes_;
};

}  // namespace mishards
