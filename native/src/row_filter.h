#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mishards {

/** A bitmap over rows, least significant bit first; without bits every row is allowed. */
struct RowFilter {
  const uint8_t* bits = nullptr;
  uint32_t rowCount = 0;
  uint32_t allowedCount = 0;

  bool allows(uint32_t row) const { return bits == nullptr || ((bits[row >> 3] >> (row & 7)) & 1) != 0; }

  /** Eight bytes of the bitmap, bits past the last row cleared. `word` counts 64 rows. */
  uint64_t wordAt(size_t word) const {
    const size_t firstRow = word * 64;
    const size_t rows = rowCount - firstRow < 64 ? rowCount - firstRow : 64;
    uint64_t value = 0;
    std::memcpy(&value, bits + word * 8, (rows + 7) / 8);
    return rows == 64 ? value : value & ((uint64_t{1} << rows) - 1);
  }

  size_t wordCount() const { return (size_t{rowCount} + 63) / 64; }

  uint32_t countAllowed() const {
    if (bits == nullptr) return rowCount;
    uint32_t count = 0;
    for (size_t word = 0; word < wordCount(); word++) count += static_cast<uint32_t>(std::popcount(wordAt(word)));
    return count;
  }

  /** Calls `visit(row)` for the allowed rows of [begin, end), ascending. */
  template <typename Visit>
  void forEach(uint32_t begin, uint32_t end, Visit visit) const {
    if (bits == nullptr) {
      for (uint32_t row = begin; row < end; row++) visit(row);
      return;
    }
    for (size_t word = begin / 64; word * 64 < end; word++) {
      for (uint64_t rest = wordAt(word); rest != 0; rest &= rest - 1) {
        const auto row = static_cast<uint32_t>(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
        if (row >= end) return;
        if (row >= begin) visit(row);
      }
    }
  }
};

}  // namespace mishards
