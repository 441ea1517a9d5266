#pragma once

#include <cstdint>

namespace mishards {

/** Bottom-level links as they are in a file: `stride` ids a row, at most `degree` of them links, ended by kNoLink. */
struct LinkTable {
  uint32_t* links;
  uint32_t rowCount;
  uint32_t stride;
  uint32_t degree;

  uint32_t* of(uint32_t row) const { return links + static_cast<uint64_t>(row) * stride; }
};

/**
 * Pruning leaves a few rows in ten thousand without a way from the entry point. Each gets a link from one of its own
 * neighbours, or from a neighbour of those, that is reached and has room. Returns how many rows stay unreached: only rows whose whole
 * neighbourhood is full or unreached too.
 */
uint32_t connectRows(const LinkTable& table, uint32_t entry);

}  // namespace mishards
