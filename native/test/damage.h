#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crc32c.h"
#include "random.h"

namespace mishards {

constexpr size_t kHeader = 64;
constexpr size_t kEntry = 32;

using Bytes = std::vector<uint8_t>;

inline Bytes readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void writeFile(const std::string& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

template <typename T>
T numberAt(const Bytes& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/** Makes the checksums right where the section table still describes the file. */
inline void sign(Bytes& bytes) {
  const size_t count = numberAt<uint32_t>(bytes, 24);
  if (count > 16 || bytes.size() < kHeader + count * kEntry) return;
  for (size_t index = 0; index < count; index++) {
    const size_t entry = kHeader + index * kEntry;
    const auto offset = numberAt<uint64_t>(bytes, entry + 8);
    const auto size = numberAt<uint64_t>(bytes, entry + 16);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t sum = crc32c(bytes.data() + offset, size);
    std::memcpy(bytes.data() + entry + 4, &sum, sizeof sum);
  }
  std::memset(bytes.data() + 28, 0, 4);
  const uint32_t sum = crc32c(bytes.data(), kHeader + count * kEntry);
  std::memcpy(bytes.data() + 28, &sum, sizeof sum);
}

/** What a broken disk or a hostile writer may make of a file; nearly always with checksums that are right again. */
inline void damage(Bytes& bytes, uint64_t& state) {
  const auto below = [&](size_t bound) { return static_cast<size_t>(mix64(state++) % bound); };
  const size_t changes = 1 + below(4);
  // Half of the changes fall on headers and the small sections after them, where most rules are.
  for (size_t i = 0; i < changes; i++) {
    const size_t at = below(2) == 0 ? below(std::min<size_t>(bytes.size(), 640)) : below(bytes.size());
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<uint8_t>(below(256))};
    bytes[at] = values[below(6)];
  }
  if (below(10) == 0) bytes.resize(below(bytes.size() + 1));
  if (below(8) != 0 && bytes.size() >= kHeader) sign(bytes);
}

}  // namespace mishards
