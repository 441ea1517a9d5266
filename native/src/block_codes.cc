#include "block_codes.h"

#include <algorithm>
#include <cmath>

namespace mishards {

void BlockTables::set(const float* tables, uint32_t groups, const BlockLayout& layout) {
  bytes.assign(layout.blockBytes(), 0);
  float range = 0;
  base = 0;
  for (uint32_t group = 0; group < groups; group++) {
    const auto [low, high] = std::minmax_element(tables + group * 16, tables + (group + 1) * 16);
    range = std::max(range, *high - *low);
    base += *low;
  }
  step = range / 255;
  const float inverse = step > 0 ? 1 / step : 0;
  for (uint32_t group = 0; group < groups; group++) {
    const float* table = tables + group * 16;
    const float low = *std::min_element(table, table + 16);
    for (uint32_t code = 0; code < 16; code++) {
      bytes[group * 16 + code] = static_cast<uint8_t>(std::min(255.0f, (table[code] - low) * inverse + 0.5f));
    }
  }
}

}  // namespace mishards
