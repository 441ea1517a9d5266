#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "check.h"
#include "cpu.h"
#include "crc32c.h"
#include "failure.h"
#include "index_build.h"
#include "random.h"
#include "vector_index.h"

using namespace mishards;

namespace {

constexpr uint32_t kDim = 13;
constexpr uint32_t kRows = 200;
constexpr size_t kHeader = 64;
constexpr size_t kEntry = 32;

using Bytes = std::vector<uint8_t>;

std::vector<float> someVectors() {
  std::vector<float> values(size_t{kRows} * kDim);
  uint64_t state = 7;
  for (float& value : values) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5);
  return values;
}

Bytes readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void writeFile(const std::string& path, const Bytes& bytes) {
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
void sign(Bytes& bytes) {
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

void searchAll(const VectorIndex& index, const QueryVector& query) {
  const std::atomic<bool> stopped{false};
  for (const Simd* simd : availableSimd()) {
    for (const uint32_t breadth : {10u, 100u, 2000u}) {
      IndexRequest request{simd, 0, 10, {.ef = breadth, .nprobe = breadth / 10}, {}, {}};
      request.filter.rowCount = index.rows().rowCount;
      request.filter.allowedCount = index.rows().rowCount;
      TopK result(10);
      index.search(request, query, result, stopped);
      for (const Hit& hit : result.hits()) EXPECT(hit.row < index.rows().rowCount);
    }
  }
}

struct BuiltFiles {
  std::string vectorsPath = scratchPath("vectors");
  std::string indexPath = scratchPath("index");
  std::vector<float> values = someVectors();
  std::shared_ptr<VectorFile> vectors;

  explicit BuiltFiles(const IndexPlan& asked) {
    VectorFile::write(vectorsPath, {values.data(), kRows, kDim});
    vectors = VectorFile::open(vectorsPath);
    IndexPlan plan = asked;
    plan.path = indexPath;
    const auto build = startBuild(plan, *availableSimd().front(), vectors);
    const std::atomic<bool> stopped{false};
    for (BuildPhase phase{}; build->nextPhase(&phase);) {
      for (uint32_t slice = 0; slice < phase.slices; slice++) build->run(slice, stopped);
    }
  }
};

/** A small index of each type. */
const IndexPlan kPlans[] = {
    {"HNSW", Metric::kL2, {{"M", 4}, {"efConstruction", 30}}, 1, ""},
    {"IVF_FLAT", Metric::kL2, {{"nlist", 5}}, 1, ""},
};

void checkOwnRows(const IndexPlan& plan) {
  const BuiltFiles built(plan);
  const auto index = openIndex(built.indexPath, built.vectors);
  const std::atomic<bool> stopped{false};
  for (uint32_t row = 0; row < kRows; row++) {
    IndexRequest request{availableSimd().front(), 0, 1, {.ef = 50}, {}, {}};
    request.filter.rowCount = kRows;
    request.filter.allowedCount = kRows;
    TopK result(1);
    index->search(request, {built.vectors->rows().row(row), nullptr, {}}, result, stopped);
    EXPECT(result.hits().size() == 1 && result.hits()[0].row == row);
  }
}

void checkDamage(const IndexPlan& plan) {
  const BuiltFiles built(plan);
  const Bytes good = readFile(built.indexPath);
  const Bytes goodVectors = readFile(built.vectorsPath);
  const std::string path = scratchPath("hostile");
  uint64_t state = mix64(checkSeed);
  const auto below = [&](size_t bound) { return static_cast<size_t>(mix64(state++) % bound); };
  size_t opened = 0;
  for (int round = 0; round < 2000; round++) {
    const bool isIndex = round % 4 != 0;
    Bytes bytes = isIndex ? good : goodVectors;
    const size_t changes = 1 + below(4);
    // Half of the changes fall on headers and the small sections after them, where most rules are.
    for (size_t i = 0; i < changes; i++) {
      const size_t at = below(2) == 0 ? below(std::min<size_t>(bytes.size(), 640)) : below(bytes.size());
      const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<uint8_t>(below(256))};
      bytes[at] = values[below(6)];
    }
    if (below(10) == 0) bytes.resize(below(bytes.size() + 1));
    if (below(8) != 0 && bytes.size() >= kHeader) sign(bytes);
    writeFile(path, bytes);
    try {
      if (isIndex) {
        searchAll(*openIndex(path, built.vectors), {built.values.data(), nullptr, {}});
      } else {
        VectorFile::open(path);
      }
      opened++;
    } catch (const Failure& failure) {
      EXPECT(failure.code() == Code::kCorruptData);
    }
  }
  EXPECT(opened > 0);
}

}  // namespace

CHECK_CASE(roundTrip, "an index of any type finds each of its own rows first") {
  for (const IndexPlan& plan : kPlans) checkOwnRows(plan);
}

CHECK_CASE(hostileFiles, "files with any damage, signed or not, are refused or harmless") {
  for (const IndexPlan& plan : kPlans) checkDamage(plan);
}
