#include "rabitq_coder.h"

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

namespace mishards {
namespace {

constexpr uint32_t kGroupDims = 4;
// Scales, then biases of a block's rows.
constexpr size_t kFactorsOfBlock = 2 * kBlockRows;
// The scale of a row without a place among the codes: its estimates are no numbers, so it is never found by them.
constexpr float kNeverFound = std::numeric_limits<float>::quiet_NaN();

uint32_t groupsOf(uint32_t dim) {
  return (dim + kGroupDims - 1) / kGroupDims;
}

/** Rounds to a grid of 2^bits levels between the least and the greatest value. */
void roundValues(std::vector<float>& values, uint32_t bits) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float base = *low;
  const float step = (*high - base) / static_cast<float>((1u << bits) - 1);
  if (!(step > 0)) return;
  for (float& value : values) value = base + step * std::nearbyint((value - base) / step);
}

class RabitqScan : public ListScan {
 public:
  RabitqScan(const Simd& simd, const CodeSpace& space, const BlockLayout& blocks, const Rotation& rotation,
             const float* query, uint32_t queryBits, const ListLayout& layout, const ListCodes& codes)
      : simd_(simd), space_(space), blocks_(blocks), layout_(layout), codes_(codes),
        placed_(space.dim()) {
    space.place(simd, query, placed_.data());
    std::vector<float> rotated = placed_;
    rotation.apply(rotated.data());
    if (queryBits > 0) roundValues(rotated, queryBits);
    setTables(rotated);
    const float deviation = std::sqrt(simd.innerProduct(placed_.data(), placed_.data(), space.dim()) /
                                      static_cast<float>(space.dim())) * codes.codeError;
    slack_ = kEstimateDeviations * deviation * (space.isL2() ? 2 : 1);
  }

  float slack() const override { return slack_; }

  void scan(uint32_t list, CodePool& pool) override {
    const float* centre = space_.direction(list);
    const float product = simd_.innerProduct(placed_.data(), centre, space_.dim());
    BlockQuery query{tables_.bytes.data(), blocks_.groups(), tables_.step, tables_.base, 0, 1};
    if (space_.isL2()) {
      query.step *= 2;
      query.base *= 2;
      query.offset = -simd_.squaredDistance(placed_.data(), centre, space_.dim());
    } else {
      const float scale = space_.scales[list];
      query.offset = scale * product;
      // The part of the query along the centre: its product with the residual is known without an error.
      query.biasWeight = scale > 0 ? product / scale : 0;
    }
    const uint32_t end = layout_.end(list);
    uint32_t position = layout_.begin(list);
    float scores[kBlockRows];
    for (size_t block = layout_.blocks[list]; position < end; block++, position += kBlockRows) {
      const float* factors = codes_.factors + block * kFactorsOfBlock;
      uint32_t better = simd_.blockScores(codes_.codes + block * blocks_.blockBytes(), factors, factors + kBlockRows, query,
                                          pool.threshold(), scores);
      if (end - position < kBlockRows) better &= (uint32_t{1} << (end - position)) - 1;
      for (; better != 0; better &= better - 1) {
        const auto at = static_cast<uint32_t>(std::countr_zero(better));
        pool.offer(scores[at], layout_.rowIds[position + at]);
      }
    }
  }

 private:
  /** A bit b of a code stands for b - 1/2. */
  void setTables(const std::vector<float>& rotated) {
    const uint32_t groups = groupsOf(space_.dim());
    std::vector<float> tables(size_t{groups} * 16, 0.0f);
    float sum = 0;
    for (uint32_t i = 0; i < space_.dim(); i++) {
      sum += rotated[i];
      for (uint32_t code = 0; code < 16; code++) {
        if ((code >> i % kGroupDims & 1) != 0) tables[i / kGroupDims * 16 + code] += rotated[i];
      }
    }
    tables_.set(tables.data(), groups, blocks_);
    tables_.base -= sum / 2;
  }

  const Simd& simd_;
  const CodeSpace& space_;
  const BlockLayout& blocks_;
  const ListLayout layout_;
  const ListCodes codes_;
  std::vector<float> placed_;
  BlockTables tables_;
  float slack_ = 0;
};

}  // namespace

struct RabitqCoder::RowBuffers {
  explicit RowBuffers(uint32_t dim) : placed(dim), residual(dim), rotatedCentre(dim) {}
  std::vector<float> placed;
  std::vector<float> residual;
  /** The list's centre. */
  std::vector<float> rotatedCentre;
};

RabitqCoder::RabitqCoder(const Simd& simd, const CodeSpace& space, uint64_t seed)
    : simd_(simd), space_(space), rotation_(space.dim(), seed), blocks_(groupsOf(space.dim())) {}

size_t RabitqCoder::codeBytes(const ListLayout& layout) const {
  return layout.blockCount() * blocks_.blockBytes();
}

size_t RabitqCoder::factorCount(const ListLayout& layout) const {
  return layout.blockCount() * kFactorsOfBlock;
}

double RabitqCoder::encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                           const std::atomic<bool>& stopped) const {
  RowBuffers buffers(space_.dim());
  std::vector<float> room;
  const float* direction = space_.direction(list);
  for (uint32_t i = 0; i < space_.dim(); i++) buffers.rotatedCentre[i] = space_.scales[list] * direction[i];
  rotation_.apply(buffers.rotatedCentre.data());
  double errors = 0;
  for (uint32_t at = layout.begin(list); at < layout.end(list) && !stopped.load(std::memory_order_relaxed); at++) {
    const uint32_t inList = at - layout.begin(list);
    const size_t own = layout.blocks[list] + inList / kBlockRows;
    errors += encodeRow(rows.floats(layout.rowIds[at], room), list, buffers, codes + own * blocks_.blockBytes(),
                        inList % kBlockRows, factors + own * kFactorsOfBlock);
  }
  return errors;
}

double RabitqCoder::encodeRow(const float* vector, uint32_t list, RowBuffers& buffers, uint8_t* block, uint32_t inBlock,
                              float* factors) const {
  float& scale = factors[inBlock];
  float& bias = factors[kBlockRows + inBlock];
  std::vector<float>& residual = buffers.residual;
  const uint32_t dim = space_.dim();
  scale = kNeverFound;
  if (!space_.residual(simd_, vector, list, buffers.placed.data(), residual.data())) return 0;
  const float norm = simd_.innerProduct(residual.data(), residual.data(), dim);
  if (!std::isfinite(norm)) return 0;
  float centreProduct = 0;
  const float* direction = space_.direction(list);
  for (uint32_t i = 0; i < dim; i++) centreProduct += space_.scales[list] * direction[i] * residual[i];
  rotation_.apply(residual.data());
  float product = 0;
  float centreCode = 0;
  for (uint32_t i = 0; i < dim; i++) {
    const bool bit = residual[i] > 0;
    if (bit) BlockLayout::put(block, inBlock, i / kGroupDims, static_cast<uint8_t>(1 << i % kGroupDims));
    product += std::fabs(residual[i]) / 2;
    centreCode += bit ? buffers.rotatedCentre[i] / 2 : -buffers.rotatedCentre[i] / 2;
  }
  // A row that is its own centre has no residual to estimate.
  scale = product > FLT_MIN * 1e6f ? norm / product : 0;
  const float known = centreProduct - scale * centreCode;
  bias = space_.isL2() ? -norm - 2 * scale * centreCode : known;
  return std::max(0.0, double{scale} * scale * dim / 4 - norm);
}

void RabitqCoder::check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const {
  for (size_t i = 0; i < factorCount(layout); i++) {
    const bool isScale = i % kFactorsOfBlock < kBlockRows;
    if (!std::isfinite(codes.factors[i]) && !(isScale && std::isnan(codes.factors[i]))) {
      reader.refuse("a code's factor is not a number");
    }
  }
}

std::unique_ptr<ListScan> RabitqCoder::scan(const Simd& simd, const float* query, uint32_t queryBits,
                                            const ListLayout& layout, const ListCodes& codes) const {
  return usable(std::make_unique<RabitqScan>(simd, space_, blocks_, rotation_, query, queryBits, layout, codes));
}

}  // namespace mishards
