#pragma once

#include <cstdint>

namespace mishards {

/** SplitMix64 (Steele, Lea, Flood 2014): a well mixed function of its argument, good enough for levels and signs. */
inline uint64_t mix64(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/** Uniform in (0, 1]. */
inline double unitInterval(uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 1) * 0x1.0p-53;
}

}  // namespace mishards
