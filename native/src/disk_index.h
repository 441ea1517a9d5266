#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "container.h"
#include "memory.h"
#include "node_layout.h"
#include "row_codes.h"
#include "vector_index.h"

namespace mishards {

/** The fixed part of an index file, at the start of section META. */
struct DiskMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t dim;
  uint32_t vectorsChecksum;
  uint32_t degree;
  uint32_t searchList;
  uint32_t entryRow;
  /** Of the codes: runs of dimensions, a byte each. */
  uint32_t parts;
  /** Root of the mean squared error of the codes: how far an estimate may be off. */
  float codeError;
  uint32_t reserved;
  uint64_t seed;
  uint8_t reserved2[16];
};
static_assert(sizeof(DiskMeta) == 64);

constexpr uint32_t kDiskDegreeMax = 512;

/** Sections of the file, in this order. META is filled up with zeros, so that the nodes begin with a page. */
namespace disk_sections {
constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kNodes = sectionTag("NODE");
constexpr uint32_t kMean = sectionTag("MEAN");
constexpr uint32_t kCodes = sectionTag("CODE");
constexpr uint32_t kFactors = sectionTag("FACT");
constexpr size_t kCount = 6;
constexpr size_t kMetaBytes = kFilePage - firstSectionOffset(kCount);
}  // namespace disk_sections

/**
 * A graph on disk (Subramanya et al. 2019, "DiskANN"): nodes, with their vectors and links, stay in the mapped file; memory holds
 * product codes, which say where to go.
 */
class DiskIndex : public VectorIndex {
 public:
  static std::shared_ptr<DiskIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override { return "DISKANN"; }
  Metric metric() const override { return static_cast<Metric>(meta_.metric); }
  const VectorRows& rows() const override { return vectors_->rows(); }
  size_t bytes() const override { return codes_->bytes(); }
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

  const DiskMeta& meta() const { return meta_; }
  const NodeLayout& layout() const { return *layout_; }
  const RowCodes& codes() const { return *codes_; }
  /** The row's vector; its links are `layout().linksAt()` bytes further, ended by kNoLink unless full. */
  const uint8_t* nodeOf(uint32_t row) const { return nodes_ + layout_->offsetOf(row); }
  const uint32_t* linksOf(const uint8_t* node) const { return viewAt<uint32_t>(node, layout_->linksAt()); }

  /** Steps of walks that will still ask for their nodes ahead, because one had to wait for the disk. */
  std::atomic<uint32_t>& coldSteps() const { return coldSteps_; }

 private:
  DiskIndex() = default;

  void openCodes(const ContainerReader& reader);
  void checkNodes(const ContainerReader& reader) const;

  Pages pages_;
  DiskMeta meta_{};
  std::shared_ptr<VectorFile> vectors_;
  std::unique_ptr<NodeLayout> layout_;
  const uint8_t* nodes_ = nullptr;
  std::unique_ptr<RowSpace> space_;
  std::unique_ptr<RowCodes> codes_;
  mutable std::atomic<uint32_t> coldSteps_{0};
};

}  // namespace mishards
