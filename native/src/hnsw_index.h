#pragma once

#include <memory>
#include <string>
#include <vector>

#include "memory.h"
#include "quantizer.h"
#include "source.h"
#include "vector_index.h"

namespace mishards {

/** Ends a list of links that is not full. */
constexpr uint32_t kNoLink = 0xffffffff;

/** The types of graphs: the same but for the codes that the walk reads. */
enum class HnswKind : uint32_t { kPlain = 0, kScalar = 1, kProduct = 2, kResidual = 3 };
constexpr uint32_t kHnswKindCount = 4;
constexpr uint32_t kHnswRefine = 0x100;

/** The fixed part of an index file, section META. */
struct HnswMeta {
  uint32_t metric;
  uint32_t rowCount;
  uint32_t dim;
  uint32_t vectorsChecksum;
  uint32_t degree;
  /** u32 a row in LNK0; at least twice the degree. */
  uint32_t linkStride;
  uint32_t bits;
  uint32_t upperCount;
  uint32_t entryUpper;
  uint32_t entryRow;
  uint32_t topLevel;
  /** Root of the mean squared error of the codes: how far an estimate may be off. */
  float codeError;
  uint64_t rotationSeed;
  uint32_t efConstruction;
  /** A `HnswKind`, with kHnswRefine where `refine_k` counts. */
  uint32_t kind;
};
static_assert(sizeof(HnswMeta) == 64);

constexpr uint32_t kHnswDegreeMax = 2048;
constexpr uint32_t kHnswLevelMax = 31;

/** The arrays of a graph as they are in a file. Rows with a level above 0 have a second number, their upper id. */
struct HnswArrays {
  HnswMeta meta{};
  std::vector<float> mean;
  /** rowCount * quantizer.stride() bytes. */
  const uint8_t* codes = nullptr;
  /** rowCount * linkStride rows, each list ended by kNoLink unless full. */
  const uint32_t* links = nullptr;
  const uint32_t* upperRow = nullptr;
  const uint8_t* upperLevel = nullptr;
  /** For each upper node, for each of its levels from 1: degree upper ids, ended as above. */
  const uint32_t* upperLinks = nullptr;
  size_t upperLinkCount = 0;
};

/** Writes a graph over `vectors` to `path`; returns the size of the file. */
size_t writeHnsw(const std::string& path, const HnswArrays& arrays, size_t codeStride);

/** A loaded graph. */
class HnswIndex : public VectorIndex {
 public:
  static std::shared_ptr<HnswIndex> open(const std::string& path, std::shared_ptr<VectorFile> vectors);

  const char* type() const override;
  /** Whether `refine_k` counts. */
  bool refines() const { return (arrays_.meta.kind & kHnswRefine) != 0; }
  const VectorRows& rows() const override { return vectors_->rows(); }
  Metric metric() const override { return quantizer_->metric(); }
  const Quantizer& quantizer() const { return *quantizer_; }
  CodeTable codes() const { return quantizer_->table(arrays_.codes); }
  const HnswMeta& meta() const { return arrays_.meta; }
  size_t bytes() const override { return pages_.size(); }
  void search(const IndexRequest& request, const QueryVector& query, TopK& result,
              const std::atomic<bool>& stopped) const override;

  uint32_t degree0() const { return 2 * arrays_.meta.degree; }
  const uint32_t* linksOf(uint32_t row) const { return arrays_.links + size_t{row} * arrays_.meta.linkStride; }
  uint32_t rowOfUpper(uint32_t upper) const { return arrays_.upperRow[upper]; }
  /** Links of an upper node at `level`, from 1 to its own. */
  const uint32_t* upperLinksOf(uint32_t upper, uint32_t level) const {
    return arrays_.upperLinks + upperOffset_[upper] + size_t{level - 1} * arrays_.meta.degree;
  }

 private:
  HnswIndex() = default;

  Pages pages_;
  HnswArrays arrays_;
  std::shared_ptr<VectorFile> vectors_;
  std::unique_ptr<Quantizer> quantizer_;
  std::vector<size_t> upperOffset_;
};

}  // namespace mishards
