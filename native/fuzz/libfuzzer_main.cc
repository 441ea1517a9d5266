// What libFuzzer calls. FUZZ_TARGET is the target of this program. Into the folder that the environment variable FUZZ_SEEDS names the
// target's seeds are written before the first input runs.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "fuzz.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size, size_t maxSize);

namespace {

const fuzz::Target& target() { return fuzz::FUZZ_TARGET; }

std::filesystem::path& directory() {
  static std::filesystem::path made;
  return made;
}

void removeDirectory() { std::filesystem::remove_all(directory()); }

}  // namespace

std::string fuzz::scratchFile(const std::string& name) { return (directory() / name).string(); }

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // Every input is a file, or makes some: in memory where there is such a folder.
  const std::filesystem::path shared("/dev/shm");
  const auto parent = std::filesystem::exists(shared) ? shared : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "mishards-fuzz-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  directory() = pattern;
  std::atexit(removeDirectory);
  if (const char* seeds = std::getenv("FUZZ_SEEDS")) {
    size_t count = 0;
    target().seeds([&](const fuzz::Bytes& bytes) {
      const auto path = std::filesystem::path(seeds) / ("seed-" + std::to_string(count++));
      fuzz::writeBytes(path.string(), bytes.data(), bytes.size());
    });
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  target().run(bytes, size);
  return 0;
}

/** Files are signed anew after a mutation, but for every eighth. */
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size, size_t maxSize, unsigned int seed) {
  const size_t mutated = LLVMFuzzerMutate(bytes, size, maxSize);
  if (!target().isFile || seed % 8 == 0) return mutated;
  fuzz::Bytes file(bytes, bytes + mutated);
  fuzz::sign(file);
  std::copy(file.begin(), file.end(), bytes);
  return mutated;
}
