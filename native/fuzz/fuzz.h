#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace fuzz {

using Bytes = std::vector<uint8_t>;
using AddSeed = std::function<void(const Bytes&)>;

/** Something that takes bytes from anywhere. It ends well for all of them, or the program dies. */
struct Target {
  const char* name;
  void (*run)(const uint8_t* bytes, size_t size);
  /** Inputs to start from. */
  void (*seeds)(const AddSeed& add);
  /** The inputs are files with checksums: mutations sign them anew, or nothing would get past the first check. */
  bool isFile;
};

extern const Target kVectorsTarget;
extern const Target kIndexTarget;
extern const Target kSearchTarget;
extern const Target kBuildTarget;

const std::vector<const Target*>& allTargets();

/** A path in a folder of this process that goes away at its end. Defined by each program. */
std::string scratchFile(const std::string& name);

Bytes readBytes(const std::string& path);
void writeBytes(const std::string& path, const uint8_t* bytes, size_t size);

/** Makes the checksums of a file right where its section table can be followed. */
void sign(Bytes& bytes);

/** A bug was found: says where, and dies. */
#define FUZZ_EXPECT(condition)                                                               \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);     \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

/** Numbers out of an input, zeros after its end. */
class Input {
 public:
  Input(const uint8_t* bytes, size_t size) : bytes_(bytes), left_(size) {}

  template <typename T>
  T take() {
    T value{};
    const size_t size = left_ < sizeof(T) ? left_ : sizeof(T);
    std::memcpy(&value, bytes_, size);
    bytes_ += size;
    left_ -= size;
    return value;
  }

  /** In [min, max]. */
  uint32_t between(uint32_t min, uint32_t max) { return min + static_cast<uint32_t>(take<uint32_t>() % (uint64_t{max} - min + 1)); }

  bool isEmpty() const { return left_ == 0; }

 private:
  const uint8_t* bytes_;
  size_t left_;
};

}  // namespace fuzz
