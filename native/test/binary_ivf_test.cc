#include <atomic>
#include <memory>

#include "check.h"
#include "cpu.h"
#include "damage.h"
#include "failure.h"
#include "index_build.h"
#include "vector_index.h"

using namespace mishards;

namespace {

constexpr uint32_t kDim = 72;

struct BuiltLists {
  std::string vectorsPath = scratchPath("bits");
  std::string indexPath = scratchPath("binary-ivf");
  std::vector<uint8_t> bits;
  std::shared_ptr<VectorFile> vectors;

  BuiltLists(uint32_t rowCount, Metric metric, uint64_t& state) : bits(rowCount * kDim / 8) {
    for (uint8_t& byte : bits) byte = static_cast<uint8_t>(mix64(state++));
    VectorFile::write(vectorsPath, {bits.data(), rowCount, kDim, VectorFormat::kBinary});
    vectors = VectorFile::open(vectorsPath);
    const auto build =
        startBuild({"BIN_IVF_FLAT", metric, {{"nlist", 9}}, 1, indexPath}, *availableSimd().front(), vectors);
    const std::atomic<bool> stopped{false};
    for (BuildPhase phase{}; build->nextPhase(&phase);) {
      for (uint32_t slice = 0; slice < phase.slices; slice++) build->run(slice, stopped);
    }
  }
};

TopK searched(const VectorIndex& index, const uint8_t* query, uint32_t nprobe) {
  const std::atomic<bool> stopped{false};
  IndexRequest request{availableSimd().front(), 0, 1, {.nprobe = nprobe}, {}, {}, {}};
  request.filter.rowCount = index.rows().rowCount;
  request.filter.allowedCount = index.rows().rowCount;
  TopK result(1);
  index.search(request, {nullptr, query, {}}, result, stopped);
  return result;
}

}  // namespace

CHECK_CASE(binaryLists, "lists of binary rows find each of their own rows, for any number of rows") {
  uint64_t state = checkSeed;
  for (const uint32_t rowCount : {0u, 1u, 40u, 700u}) {
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
      const BuiltLists built(rowCount, metric, state);
      const auto index = openIndex(built.indexPath, built.vectors);
      for (uint32_t row = 0; row < rowCount; row++) {
        const TopK found = searched(*index, built.vectors->rows().at(row), 1);
        EXPECT(found.hits().size() == 1 && found.hits()[0].score == 0);
      }
    }
  }
}

CHECK_CASE(hostileLists, "lists of binary rows with any damage, signed or not, are refused or harmless") {
  uint64_t state = mix64(checkSeed);
  const BuiltLists built(400, Metric::kHamming, state);
  const Bytes good = readFile(built.indexPath);
  const Bytes goodVectors = readFile(built.vectorsPath);
  const std::string path = scratchPath("hostile-bits");
  for (int round = 0; round < 1500; round++) {
    const bool isIndex = round % 3 != 0;
    Bytes bytes = isIndex ? good : goodVectors;
    damage(bytes, state);
    writeFile(path, bytes);
    try {
      if (isIndex) {
        searched(*openIndex(path, built.vectors), built.bits.data(), 2);
      } else {
        VectorFile::open(path);
      }
    } catch (const Failure& failure) {
      EXPECT(failure.code() == Code::kCorruptData);
    }
  }
}
