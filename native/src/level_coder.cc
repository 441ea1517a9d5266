#include "level_coder.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace mishards {
namespace {

constexpr uint32_t kBits = 8;
constexpr size_t kBatch = 64;

class LevelScan : public ListScan {
 public:
  LevelScan(const Simd& simd, const Quantizer& quantizer, const float* query, const ListLayout& layout,
            const ListCodes& codes)
      : simd_(simd), layout_(layout), table_(quantizer.table(codes.codes)) {
    std::vector<float> rotated;
    if (!quantizer.prepare(query, query_, rotated)) return;
    const float norm = simd.innerProduct(rotated.data(), rotated.data(), quantizer.dim());
    const float deviation = std::sqrt(norm / static_cast<float>(quantizer.dim())) * codes.codeError;
    slack_ = kEstimateDeviations * deviation * (quantizer.metric() == Metric::kL2 ? 2 : 1);
  }

  float slack() const override { return slack_; }

  void scan(uint32_t list, CodePool& pool) override {
    uint32_t positions[kBatch];
    float scores[kBatch];
    for (uint32_t at = layout_.begin(list); at < layout_.end(list); at += kBatch) {
      const size_t count = std::min<size_t>(kBatch, layout_.end(list) - at);
      std::iota(positions, positions + count, at);
      simd_.scores8(table_, query_.code, positions, count, scores);
      for (size_t i = 0; i < count; i++) {
        if (scores[i] > pool.threshold()) pool.offer(scores[i], layout_.rowIds[at + i]);
      }
    }
  }

 private:
  const Simd& simd_;
  const ListLayout layout_;
  const CodeTable table_;
  PreparedQuery query_;
  float slack_ = std::numeric_limits<float>::quiet_NaN();
};

}  // namespace

LevelCoder::LevelCoder(Metric metric, uint32_t dim, uint64_t seed, std::vector<float> mean)
    : quantizer_(metric, dim, kBits, seed, std::move(mean)) {}

size_t LevelCoder::codeBytes(const ListLayout& layout) const {
  return layout.rowCount() * quantizer_.stride() + kCodeChunk;
}

double LevelCoder::encode(const ListLayout& layout, uint32_t list, const VectorRows& rows, uint8_t* codes, float*,
                          const std::atomic<bool>& stopped) const {
  std::vector<float> scratch;
  std::vector<float> room;
  double errors = 0;
  for (size_t at = layout.begin(list); at < layout.end(list) && !stopped.load(std::memory_order_relaxed); at++) {
    errors += quantizer_.encode(rows.floats(layout.rowIds[at], room), codes + at * quantizer_.stride(), scratch);
  }
  return errors;
}

void LevelCoder::describe(ContainerWriter& writer) const {
  writer.add(kMean, quantizer_.mean().data(), quantizer_.mean().size() * sizeof(float));
}

void LevelCoder::check(const ContainerReader& reader, const ListLayout& layout, const ListCodes& codes) const {
  for (const float value : quantizer_.mean()) {
    if (!std::isfinite(value)) reader.refuse("the mean of its codes is not a number");
  }
  for (size_t at = 0; at < layout.rowCount(); at++) {
    float factors[2];
    std::memcpy(factors, codes.codes + at * quantizer_.stride() + quantizer_.factorOffset(), sizeof factors);
    if (!std::isfinite(factors[0]) || !std::isfinite(factors[1])) reader.refuse("a code's factor is not a number");
  }
}

std::unique_ptr<ListScan> LevelCoder::scan(const Simd& simd, const float* query, uint32_t, const ListLayout& layout,
                                           const ListCodes& codes) const {
  return usable(std::make_unique<LevelScan>(simd, quantizer_, query, layout, codes));
}

}  // namespace mishards
