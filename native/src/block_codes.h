#pragma once

#include <cstdint>
#include <vector>

#include "list_coder.h"
#include "memory.h"
#include "simd/simd.h"

namespace mishards {

/**
 * Rows in blocks of 32 with 4-bit codes for groups of values, so that one shuffle looks up the table of a group for 16 rows
 * (Andre, Kermarrec and Le Scouarnec 2015, "Cache locality is not enough"). For each group a block has 16 bytes: byte j holds
 * the code of row j in its low half and of row j + 16 in its high half. Lists begin with a block of their own.
 */
class BlockLayout {
 public:
  explicit BlockLayout(uint32_t groups) : groups_(static_cast<uint32_t>(alignUp(groups, kBlockGroups))) {}

  uint32_t groups() const { return groups_; }
  size_t blockBytes() const { return size_t{groups_} * 16; }

  static void put(uint8_t* block, uint32_t row, uint32_t group, uint8_t code) {
    block[group * 16 + row % 16] |= static_cast<uint8_t>(row < 16 ? code : code << 4);
  }

 private:
  uint32_t groups_;
};

/** Tables of one query, rounded to 8 bits with one step for all groups: sum of looked up values = step * sum of bytes + base. */
struct BlockTables {
  std::vector<uint8_t> bytes;
  float step = 0;
  float base = 0;

  /** `tables` has 16 values for each group; groups beyond are zero. */
  void set(const float* tables, uint32_t groups, const BlockLayout& layout);
};

}  // namespace mishards
