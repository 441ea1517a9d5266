#include "product_coder.h"

#include <bit>
#include <cmath>
#include <limits>

namespace mishards {
namespace {

constexpr uint32_t kIterations = 8;
// Rows that centres are learnt from; more hardly move them.
constexpr uint32_t kTrainRowsMin = 4096;
constexpr uint32_t kTrainRowsEach = 64;
// Of a slice of training: some megabytes of parts of residuals, and slices enough for several threads.
constexpr uint32_t kSliceDimensions = 128;
// A row without a place among the codes: its estimates are no numbers, so it is never found by them.
constexpr float kNeverFound = std::numeric_limits<float>::quiet_NaN();

/** Scales of rows in blocks: the estimate has none. */
struct Ones {
  float values[kBlockRows];
  constexpr Ones() : values() {
    for (float& value : values) value = 1;
  }
};
constexpr Ones kOnes;

class ProductScan : public ListScan {
 public:
  ProductScan(const Simd& simd, const ProductCoder& coder, const float* query, const ListLayout& layout,
              const ListCodes& codes)
      : simd_(simd), coder_(coder), space_(coder.space()), layout_(layout), codes_(codes), placed_(space_.dim()),
        products_(size_t{coder.parts()} * coder.centres()) {
    space_.place(simd, query, placed_.data());
    coder.products(simd, placed_.data(), products_.data());
    weight_ = space_.isL2() ? 2 : 1;
    if (coder.inBlocks()) tables_.set(products_.data(), coder.parts(), coder.blocks());
    const float norm = simd.innerProduct(placed_.data(), placed_.data(), space_.dim());
    slack_ = kEstimateDeviations * weight_ * std::sqrt(norm / static_cast<float>(space_.dim())) * codes.codeError;
  }

  float slack() const override { return slack_; }

  void scan(uint32_t list, CodePool& pool) override {
    const float* centre = space_.direction(list);
    const float offset = space_.isL2()
                             ? -simd_.squaredDistance(placed_.data(), centre, space_.dim())
                             : space_.scales[list] * simd_.innerProduct(placed_.data(), centre, space_.dim());
    if (coder_.inBlocks()) {
      scanBlocks(list, offset, pool);
    } else {
      scanRows(list, offset, pool);
    }
  }

 private:
  void scanBlocks(uint32_t list, float offset, CodePool& pool) {
    const BlockLayout& blocks = coder_.blocks();
    const BlockQuery query{tables_.bytes.data(), blocks.groups(), tables_.step * weight_, tables_.base * weight_, offset, 1};
    const uint32_t end = layout_.end(list);
    uint32_t position = layout_.begin(list);
    float scores[kBlockRows];
    for (size_t block = layout_.blocks[list]; position < end; block++, position += kBlockRows) {
      uint32_t better = simd_.blockScores(codes_.codes + block * blocks.blockBytes(), kOnes.values,
                                          codes_.factors + block * kBlockRows, query, pool.threshold(), scores);
      if (end - position < kBlockRows) better &= (uint32_t{1} << (end - position)) - 1;
      for (; better != 0; better &= better - 1) {
        const auto at = static_cast<uint32_t>(std::countr_zero(better));
        pool.offer(scores[at], layout_.rowIds[position + at]);
      }
    }
  }

  void scanRows(uint32_t list, float offset, CodePool& pool) {
    const uint32_t parts = coder_.parts();
    const float* tables = products_.data();
    for (size_t at = layout_.begin(list); at < layout_.end(list); at++) {
      const uint8_t* code = codes_.codes + at * parts;
      float sums[4] = {};
      uint32_t part = 0;
      for (; part + 4 <= parts; part += 4) {
        for (uint32_t j = 0; j < 4; j++) sums[j] += tables[(part + j) * 256 + code[part + j]];
      }
      for (; part < parts; part++) sums[0] += tables[part * 256 + code[part]];
      const float score = offset + codes_.factors[at] + weight_ * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
      if (score > pool.threshold()) pool.offer(score, layout_.rowIds[at]);
    }
  }

  const Simd& simd_;
  const ProductCoder& coder_;
  const CodeSpace& space_;
  const ListLayout layout_;
  const ListCodes codes_;
  std::vector<float> placed_;
  std::vector<float> products_;
  BlockTables tables_;
  float weight_ = 1;
  float slack_ = 0;
};

}  // namespace

ProductCoder::ProductCoder(const Simd& simd, const CodeSpace& space, uint32_t parts, uint32_t bits, uint64_t seed)
    : simd_(simd), space_(space), parts_(parts), centres_(1u << bits), seed_(seed), blocks_(parts),
      book_(size_t{space.dim()} << bits, 0.0f) {}

ProductCoder::ProductCoder(const Simd& simd, const CodeSpace& space, uint32_t parts, uint32_t bits, const float* book)
    : ProductCoder(simd, space, parts, bits, uint64_t{0}) {
  std::copy_n(book, book_.size(), book_.begin());
}

uint32_t ProductCoder::trainRows() const {
  return std::max(kTrainRowsMin, kTrainRowsEach * centres_);
}

uint32_t ProductCoder::partsEach() const {
  return std::max<uint32_t>(1, static_cast<uint32_t>(uint64_t{kSliceDimensions} * parts_ / space_.dim()));
}

/** Residuals are those of whole vectors, so a slice takes several parts from each. */
void ProductCoder::train(uint32_t slice, const CodeSample& sample, const std::atomic<bool>& stopped) {
  const uint32_t first = slice * partsEach();
  const uint32_t last = std::min(parts_, first + partsEach());
  std::vector<std::vector<float>> values(last - first);
  for (uint32_t part = first; part < last; part++) {
    values[part - first].reserve(sample.members.size() * (partBegin(part + 1) - partBegin(part)));
  }
  std::vector<float> placed(space_.dim());
  std::vector<float> residual(space_.dim());
  std::vector<float> room;
  for (const auto& [row, list] : sample.members) {
    if (stopped.load(std::memory_order_relaxed)) return;
    if (!space_.residual(simd_, sample.rows->floats(row, room), list, placed.data(), residual.data())) continue;
    for (uint32_t part = first; part < last; part++) {
      const auto begin = residual.begin() + partBegin(part);
      values[part - first].insert(values[part - first].end(), begin, residual.begin() + partBegin(part + 1));
    }
  }
  for (uint32_t part = first; part < last; part++) trainPart(part, values[part - first], stopped);
}

/** `values` are the part of each residual, one after the other. */
void ProductCoder::trainPart(uint32_t part, const std::vector<float>& values, const std::atomic<bool>& stopped) {
  const uint32_t begin = partBegin(part);
  const uint32_t width = partBegin(part + 1) - begin;
  const VectorRows rows{values.data(), static_cast<uint32_t>(values.size() / width), width};
  const ClusterSpace plain(Metric::kL2, std::vector<float>(width, 0.0f));
  KMeans centres(simd_, rows, plain, centres_, seed_ + part);
  for (uint32_t iteration = 0; iteration < kIterations && !stopped.load(std::memory_order_relaxed); iteration++) {
    centres.assign(0, centres.sampleCount(), stopped);
    if (centres.group() == 0) break;
    centres.update(0, centres.count());
    centres.settle();
  }
  // Fewer centres than codes: the codes that are left stand for 0, and coding may use them too.
  std::copy_n(centres.table().values, size_t{centres.count()} * width, book_.begin() + size_t{begin} * centres_);
}

size_t ProductCoder::codeBytes(const ListLayout& layout) const {
  return inBlocks() ? layout.blockCount() * blocks_.blockBytes() : size_t{layout.rowCount()} * parts_;
}

size_t ProductCoder::factorCount(const ListLayout& layout) const {
  return inBlocks() ? layout.blockCount() * kBlockRows : layout.rowCount();
}

double ProductCoder::encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float* factors,
                            const std::atomic<bool>& stopped) const {
  std::vector<float> buffers(size_t{space_.dim()} * 3);
  std::vector<uint8_t> code(parts_);
  std::vector<float> room;
  double errors = 0;
  for (uint32_t at = layout.begin(list); at < layout.end(list) && !stopped.load(std::memory_order_relaxed); at++) {
    const float* vector = rows.floats(layout.rowIds[at], room);
    if (!inBlocks()) {
      errors += encodeRow(vector, list, buffers, codes + size_t{at} * parts_, factors + at);
      continue;
    }
    const uint32_t inList = at - layout.begin(list);
    const size_t block = layout.blocks[list] + inList / kBlockRows;
    errors += encodeRow(vector, list, buffers, code.data(), factors + block * kBlockRows + inList % kBlockRows);
    for (uint32_t part = 0; part < parts_; part++) {
      BlockLayout::put(codes + block * blocks_.blockBytes(), inList % kBlockRows, part, code[part]);
    }
  }
  return errors;
}

/** `bias` gets what the estimate of this row needs beside the products with the query. */
double ProductCoder::encodeRow(const float* vector, uint32_t list, std::vector<float>& buffers, uint8_t* codes,
                               float* bias) const {
  const uint32_t dim = space_.dim();
  float* placed = buffers.data();
  float* residual = placed + dim;
  float* decoded = residual + dim;
  std::fill_n(codes, parts_, uint8_t{0});
  *bias = kNeverFound;
  if (!space_.residual(simd_, vector, list, placed, residual)) return 0;
  for (uint32_t part = 0; part < parts_; part++) {
    const uint32_t begin = partBegin(part);
    const uint32_t width = partBegin(part + 1) - begin;
    float best = INFINITY;
    for (uint32_t code = 0; code < centres_; code++) {
      const float* centre = centreOf(part, code);
      float distance = 0;
      for (uint32_t i = 0; i < width; i++) {
        const float difference = residual[begin + i] - centre[i];
        distance += difference * difference;
      }
      if (!(distance < best)) continue;
      best = distance;
      codes[part] = static_cast<uint8_t>(code);
    }
    std::copy_n(centreOf(part, codes[part]), width, decoded + begin);
  }
  const float* direction = space_.direction(list);
  *bias = space_.isL2() ? -2 * simd_.innerProduct(direction, decoded, dim) - simd_.innerProduct(decoded, decoded, dim) : 0;
  if (!std::isfinite(*bias)) *bias = kNeverFound;
  const float error = simd_.squaredDistance(residual, decoded, dim);
  return std::isfinite(error) ? error : 0;
}

void ProductCoder::products(const Simd& simd, const float* vector, float* out) const {
  for (uint32_t part = 0; part < parts_; part++) {
    const uint32_t begin = partBegin(part);
    simd.innerProducts(vector + begin, centreOf(part, 0), centres_, partBegin(part + 1) - begin, out + size_t{part} * centres_);
  }
}

void ProductCoder::describe(ContainerWriter& writer) const {
  writer.add(kBook, book_.data(), book_.size() * sizeof(float));
}

void ProductCoder::check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const {
  for (const float value : book_) {
    if (!std::isfinite(value)) reader.refuse("a centre of its codes is not a number");
  }
  for (size_t i = 0; i < factorCount(layout); i++) {
    if (std::isinf(codes.factors[i])) reader.refuse("a code's factor is infinite");
  }
}

std::unique_ptr<ListScan> ProductCoder::scan(const Simd& simd, const float* query, uint32_t, const ListLayout& layout,
                                             const ListCodes& codes) const {
  return usable(std::make_unique<ProductScan>(simd, *this, query, layout, codes));
}

}  // namespace mishards
