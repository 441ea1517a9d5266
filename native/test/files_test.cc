#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "check.h"
#include "cpu.h"
#include "crc32c.h"
#include "failure.h"
#include "hnsw_builder.h"
#include "hnsw_search.h"
#include "random.h"

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

void searchAll(const HnswIndex& index, const float* query) {
  const std::atomic<bool> stopped{false};
  for (const Simd* simd : availableSimd()) {
    for (const uint32_t ef : {10u, 100u, 2000u}) {
      HnswRequest request{simd, 0, 10, ef, {}, {}};
      request.filter.rowCount = index.rows().rowCount;
      request.filter.allowedCount = index.rows().rowCount;
      TopK result(10);
      searchHnsw(index, request, query, result, stopped);
      for (const Hit& hit : result.hits()) EXPECT(hit.row < index.rows().rowCount);
    }
  }
}

struct BuiltFiles {
  std::string vectorsPath = scratchPath("vectors");
  std::string indexPath = scratchPath("index");
  std::vector<float> values = someVectors();
  std::shared_ptr<VectorFile> vectors;

  BuiltFiles() {
    VectorFile::write(vectorsPath, values.data(), values.size(), kDim);
    vectors = VectorFile::open(vectorsPath);
    HnswBuilder builder(*availableSimd().front(), vectors, {Metric::kL2, 4, 30, 1});
    const std::atomic<bool> stopped{false};
    builder.encodeRows(0, kRows);
    builder.insertRows(0, kRows, stopped);
    builder.prepareFinish();
    builder.finishRows(0, kRows);
    builder.write(indexPath);
  }
};

}  // namespace

CHECK_CASE(roundTrip, "an index finds each of its own rows first") {
  const BuiltFiles built;
  const auto index = HnswIndex::open(built.indexPath, built.vectors);
  const std::atomic<bool> stopped{false};
  for (uint32_t row = 0; row < kRows; row++) {
    HnswRequest request{availableSimd().front(), 0, 1, 50, {}, {}};
    request.filter.rowCount = kRows;
    request.filter.allowedCount = kRows;
    TopK result(1);
    searchHnsw(*index, request, built.vectors->rows().row(row), result, stopped);
    EXPECT(result.hits().size() == 1 && result.hits()[0].row == row);
  }
}

CHECK_CASE(hostileFiles, "files with any damage, signed or not, are refused or harmless") {
  const BuiltFiles built;
  const Bytes good = readFile(built.indexPath);
  const Bytes goodVectors = readFile(built.vectorsPath);
  const std::string path = scratchPath("hostile");
  uint64_t state = mix64(checkSeed);
  const auto below = [&](size_t bound) { return static_cast<size_t>(mix64(state++) % bound); };
  size_t opened = 0;
  for (int round = 0; round < 4000; round++) {
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
        searchAll(*HnswIndex::open(path, built.vectors), built.values.data());
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
