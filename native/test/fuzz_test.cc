#include <filesystem>
#include <iostream>

#include "check.h"
#include "fuzz.h"
#include "random.h"

using namespace mishards;

std::string fuzz::scratchFile(const std::string& name) { return scratchPath("fuzz-" + name); }

namespace {

constexpr int kMutationsOfSeed = 12;

/** A few bytes changed, sometimes cut; a file is signed anew, mostly. */
fuzz::Bytes mutated(const fuzz::Target& target, fuzz::Bytes bytes, uint64_t& state) {
  const auto below = [&](size_t bound) { return static_cast<size_t>(mix64(state++) % bound); };
  for (size_t change = below(6); change > 0 && !bytes.empty(); change--) {
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<uint8_t>(below(256))};
    bytes[below(bytes.size())] = values[below(6)];
  }
  if (below(10) == 0) bytes.resize(below(bytes.size() + 1));
  if (target.isFile && below(8) != 0) fuzz::sign(bytes);
  return bytes;
}

}  // namespace

CHECK_CASE(fuzzSeeds, "the seeds of every fuzz target, and random changes of them, end well") {
  uint64_t state = mix64(checkSeed);
  for (const fuzz::Target* target : fuzz::allTargets()) {
    std::vector<fuzz::Bytes> seeds;
    target->seeds([&](const fuzz::Bytes& bytes) { seeds.push_back(bytes); });
    EXPECT(!seeds.empty());
    for (const fuzz::Bytes& seed : seeds) {
      target->run(seed.data(), seed.size());
      for (int i = 0; i < kMutationsOfSeed; i++) {
        const fuzz::Bytes bytes = mutated(*target, seed, state);
        target->run(bytes.data(), bytes.size());
      }
    }
  }
}

CHECK_CASE(fuzzFound, "inputs that once broke something end well") {
  for (const fuzz::Target* target : fuzz::allTargets()) {
    const auto folder = std::filesystem::path(FUZZ_FOUND) / target->name;
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const fuzz::Bytes bytes = fuzz::readBytes(entry.path().string());
      target->run(bytes.data(), bytes.size());
    }
  }
}
