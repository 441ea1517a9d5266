#pragma once

#include "block_codes.h"

namespace mishards {

/**
 * Product quantization of the residuals (Jegou, Douze and Schmid 2011): the dimensions in `parts` runs, each coded as the nearest of
 * 16 or 256 centres of its own. 4-bit codes are kept in blocks and looked up by shuffles, 8-bit codes row by row.
 */
class ProductCoder : public ListCoder {
 public:
  /** For building: `train` finds the centres. */
  ProductCoder(const Simd& simd, const CodeSpace& space, uint32_t parts, uint32_t bits, uint64_t seed);
  /** For searching, with the section's content. */
  ProductCoder(const Simd& simd, const CodeSpace& space, uint32_t parts, uint32_t bits, const float* book);

  uint32_t trainSlices() const override { return (parts_ + partsEach() - 1) / partsEach(); }
  uint32_t trainRows() const override;
  void train(uint32_t slice, const CodeSample& sample, const std::atomic<bool>& stopped) override;
  size_t codeBytes(const ListLayout& layout) const override;
  size_t factorCount(const ListLayout& layout) const override;
  double encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                const std::atomic<bool>& stopped) const override;
  void describe(ContainerWriter& writer) const override;
  void check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const override;
  std::unique_ptr<ListScan> scan(const Simd& simd, const float* query, uint32_t queryBits, const ListLayout& layout,
                                 const ListCodes& codes) const override;
  double cost() const override { return inBlocks() ? 0.1 : 0.4; }

  uint32_t parts() const { return parts_; }
  uint32_t centres() const { return centres_; }
  const BlockLayout& blocks() const { return blocks_; }
  const CodeSpace& space() const { return space_; }
  bool inBlocks() const { return centres_ == 16; }
  uint32_t partBegin(uint32_t part) const { return static_cast<uint32_t>(uint64_t{space_.dim()} * part / parts_); }
  /** Centre `code` of a part: its values follow those of the codes before it. */
  const float* centreOf(uint32_t part, uint32_t code) const {
    const uint32_t begin = partBegin(part);
    return book_.data() + size_t{begin} * centres_ + size_t{code} * (partBegin(part + 1) - begin);
  }
  /** Products of the parts of `vector` with every centre: parts * centres values. */
  void products(const Simd& simd, const float* vector, float* out) const;
  /** Section: the centres of all parts, parts one after the other. */
  static constexpr uint32_t kBook = sectionTag("BOOK");

 private:
  /** Parts of a slice of training. */
  uint32_t partsEach() const;
  void trainPart(uint32_t part, const std::vector<float>& values, const std::atomic<bool>& stopped);
  double encodeRow(const float* vector, uint32_t list, std::vector<float>& buffers, uint8_t* codes, float* bias) const;

  const Simd& simd_;
  const CodeSpace& space_;
  const uint32_t parts_;
  const uint32_t centres_;
  const uint64_t seed_;
  const BlockLayout blocks_;
  std::vector<float> book_;
};

}  // namespace mishards
