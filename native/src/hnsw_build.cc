#include "hnsw_build.h"

#include <algorithm>

namespace mishards {
namespace {

constexpr uint32_t kRowsOfPass = 4096;
// Insertions take some tenths of a millisecond each.
constexpr uint32_t kRowsOfInsert = 32;
// Encoding and finishing take a small part of the time of the insertions between them.
constexpr double kEncodeEnd = 0.01;
constexpr double kInsertEnd = 0.98;

}  // namespace

HnswBuild::HnswBuild(const Simd& simd, std::shared_ptr<VectorFile> vectors, const HnswParams& params, std::string path)
    : builder_(simd, std::move(vectors), params), path_(std::move(path)) {}

bool HnswBuild::nextPhase(BuildPhase* phase) {
  if (phase_ == Phase::kWrite) return false;
  phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
  if (phase_ == Phase::kFinish) builder_.prepareFinish();
  rowsEach_ = phase_ == Phase::kInsert ? kRowsOfInsert : kRowsOfPass;
  const uint32_t rowCount = builder_.rowCount();
  const uint32_t slices = phase_ == Phase::kWrite ? 1 : rowCount / rowsEach_ + (rowCount % rowsEach_ != 0 ? 1 : 0);
  const double end = phase_ == Phase::kEncode ? kEncodeEnd : phase_ == Phase::kInsert ? kInsertEnd : 1;
  *phase = {std::max<uint32_t>(slices, 1), end};
  return true;
}

void HnswBuild::run(uint32_t slice, const std::atomic<bool>& stopped) {
  const uint32_t begin = std::min(builder_.rowCount(), slice * rowsEach_);
  const uint32_t end = std::min<uint32_t>(builder_.rowCount() - begin, rowsEach_) + begin;
  switch (phase_) {
    case Phase::kStart:
      return;
    case Phase::kEncode:
      return builder_.encodeRows(begin, end);
    case Phase::kInsert:
      return builder_.insertRows(begin, end, stopped);
    case Phase::kFinish:
      return builder_.finishRows(begin, end);
    case Phase::kWrite:
      fileBytes_ = builder_.write(path_);
      return;
  }
}

}  // namespace mishards
