#pragma once

#include "list_coder.h"
#include "quantizer.h"

namespace mishards {

/** 8 bits a dimension with a scale of each row's own; the lists play no part in it. */
class LevelCoder : public ListCoder {
 public:
  LevelCoder(Metric metric, uint32_t dim, uint64_t seed, std::vector<float> mean);

  size_t codeBytes(const ListLayout& layout) const override;
  size_t factorCount(const ListLayout&) const override { return 0; }
  double encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                const std::atomic<bool>& stopped) const override;
  void describe(ContainerWriter& writer) const override;
  void check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const override;
  std::unique_ptr<ListScan> scan(const Simd& simd, const float* query, uint32_t queryBits, const ListLayout& layout,
                                 const ListCodes& codes) const override;
  double cost() const override { return 0.3; }

  /** Section: the mean that is subtracted before coding. */
  static constexpr uint32_t kMean = sectionTag("QMEA");

 private:
  Quantizer quantizer_;
};

}  // namespace mishards
