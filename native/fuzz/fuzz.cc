#include "fuzz.h"

#include <fstream>
#include <iterator>

#include "crc32c.h"

namespace fuzz {
namespace {

constexpr size_t kHeader = 64;
constexpr size_t kEntry = 32;
constexpr size_t kCountAt = 24;
constexpr size_t kChecksumAt = 28;
constexpr size_t kSectionsMax = 16;

template <typename T>
T numberAt(const Bytes& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

const std::vector<const Target*>& allTargets() {
  static const std::vector<const Target*> targets{&kVectorsTarget, &kIndexTarget, &kSearchTarget, &kBuildTarget};
  return targets;
}

Bytes readBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void writeBytes(const std::string& path, const uint8_t* bytes, size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  file.close();
  FUZZ_EXPECT(file.good());
}

void sign(Bytes& bytes) {
  if (bytes.size() < kHeader) return;
  const size_t count = numberAt<uint32_t>(bytes, kCountAt);
  if (count > kSectionsMax || bytes.size() < kHeader + count * kEntry) return;
  for (size_t index = 0; index < count; index++) {
    const size_t entry = kHeader + index * kEntry;
    const auto offset = numberAt<uint64_t>(bytes, entry + 8);
    const auto size = numberAt<uint64_t>(bytes, entry + 16);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t sum = mishards::crc32c(bytes.data() + offset, size);
    std::memcpy(bytes.data() + entry + 4, &sum, sizeof sum);
  }
  std::memset(bytes.data() + kChecksumAt, 0, sizeof(uint32_t));
  const uint32_t sum = mishards::crc32c(bytes.data(), kHeader + count * kEntry);
  std::memcpy(bytes.data() + kChecksumAt, &sum, sizeof sum);
}

}  // namespace fuzz
