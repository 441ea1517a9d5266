#include "sparse_scan.h"

#include <algorithm>

namespace mishards {
namespace {

constexpr uint32_t kStopCheckRows = 1024;

}  // namespace

void scanSparse(const SparseScan& scan, const SparseScorer& score, TopK& result, const std::atomic<bool>& stopped) {
  for (size_t begin = scan.begin; begin < scan.end; begin += kStopCheckRows) {
    if (stopped.load(std::memory_order_relaxed)) return;
    const auto end = static_cast<uint32_t>(std::min<size_t>(scan.end, begin + kStopCheckRows));
    scan.filter.forEach(static_cast<uint32_t>(begin), end, [&](uint32_t row) {
      const float value = score(scan.rows.row(row));
      if (value != 0 && scan.bounds.keep(value) && result.wants(value)) result.offer({value, scan.source, row});
    });
  }
}

}  // namespace mishards
