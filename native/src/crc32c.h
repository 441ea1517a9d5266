#pragma once

#include <cstddef>
#include <cstdint>

namespace mishards {

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, by the processor's instruction where it has one. `before` is that
 * of the bytes in front of them.
 */
uint32_t crc32c(const void* bytes, size_t size, uint32_t before = 0);

/** The table-driven form, for processors without the instruction and as the reference in tests. */
uint32_t crc32cPortable(const void* bytes, size_t size, uint32_t before = 0);

}  // namespace mishards
