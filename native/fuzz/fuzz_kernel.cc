#include "fuzz_kernel.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "cpu.h"
#include "exact_score.h"
#include "random.h"

using namespace mishards;

namespace fuzz {

const std::vector<IndexPlan>& smallPlans() {
  static const std::vector<IndexPlan> plans{
      {"HNSW", Metric::kL2, {{"M", 3}, {"efConstruction", 20}}, 1, ""},
      {"HNSW_SQ", Metric::kL2, {{"M", 3}, {"efConstruction", 20}, {"sq_type", 0}, {"refine", 1}}, 1, ""},
      {"IVF_FLAT", Metric::kL2, {{"nlist", 5}}, 1, ""},
      {"IVF_SQ8", Metric::kL2, {{"nlist", 5}}, 1, ""},
      {"IVF_PQ", Metric::kL2, {{"nlist", 5}, {"m", 0}, {"nbits", 8}}, 1, ""},
      {"IVF_RABITQ", Metric::kL2, {{"nlist", 5}, {"refine", 1}}, 1, ""},
      {"SCANN", Metric::kL2, {{"nlist", 5}}, 1, ""},
  };
  return plans;
}

std::shared_ptr<VectorFile> writeVectors(const std::string& path, const VectorRows& rows) {
  VectorFile::write(path, rows);
  return VectorFile::open(path);
}

void buildIndex(const IndexPlan& plan, std::shared_ptr<VectorFile> vectors) {
  const auto build = startBuild(plan, *availableSimd().front(), std::move(vectors));
  const std::atomic<bool> stopped{false};
  for (BuildPhase phase{}; build->nextPhase(&phase);) {
    for (uint32_t slice = 0; slice < phase.slices; slice++) build->run(slice, stopped);
  }
}

void checkHits(const std::vector<Hit>& hits, uint32_t k, const ScoreBounds& bounds) {
  FUZZ_EXPECT(hits.size() <= k);
  std::set<std::pair<uint32_t, uint32_t>> seen;
  for (size_t i = 0; i < hits.size(); i++) {
    FUZZ_EXPECT(bounds.keep(hits[i].score));
    FUZZ_EXPECT(i == 0 || betterHit(hits[i - 1], hits[i]));
    FUZZ_EXPECT(seen.emplace(hits[i].source, hits[i].row).second);
  }
}

void checkSearch(const VectorIndex& index, const SearchSpec& spec, const QueryVector& query, bool isTrusted) {
  const std::atomic<bool> stopped{false};
  const VectorRows& rows = index.rows();
  const bool ranksRows = isTrusted || std::strcmp(index.type(), "HNSW") == 0;
  for (const Simd* simd : availableSimd()) {
    const SearchParams params{.ef = spec.effort, .nprobe = spec.effort / 10 + 1};
    const IndexRequest request{simd, 0, spec.k, params, spec.filter, spec.bounds};
    TopK result(spec.k);
    index.search(request, query, result, stopped);
    result.sort();
    checkHits(result.hits(), spec.k, spec.bounds);
    const ExactScorer score(*simd, index.metric(), rows, query);
    for (const Hit& hit : result.hits()) {
      FUZZ_EXPECT(hit.row < rows.rowCount && spec.filter.allows(hit.row));
      FUZZ_EXPECT(!ranksRows || hit.score == score(rows.at(hit.row)));
    }
  }
}

std::vector<float> someValues(size_t count, uint64_t seed) {
  std::vector<float> values(count);
  uint64_t state = seed;
  for (float& value : values) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5);
  return values;
}

Bytes someRows(VectorFormat format, uint32_t dim, uint32_t rowCount, uint64_t seed) {
  Bytes bytes(rowBytesOf(format, dim) * rowCount);
  const std::vector<float> values = someValues(size_t{dim} * rowCount, seed);
  if (format == VectorFormat::kFloat32) {
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  const bool isWide = format == VectorFormat::kFloat16 || format == VectorFormat::kBfloat16;
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(128 + values[i % values.size()] * 255);
  // Sixteen-bit numbers of about 1: the upper byte holds sign and exponent.
  const uint8_t exponent = format == VectorFormat::kFloat16 ? 0x38 : 0x3f;
  for (size_t i = 1; isWide && i < bytes.size(); i += 2) bytes[i] = static_cast<uint8_t>((bytes[i] & 0x80) | exponent);
  return bytes;
}

}  // namespace fuzz
