#include <atomic>

#include "check.h"
#include "damage.h"
#include "failure.h"
#include "fuzz_kernel.h"

using namespace mishards;

namespace {

constexpr uint32_t kDim = 16;
constexpr uint32_t kRows = 60;
/** Of the checksum of the vectors in every META, the third number after `metric`. */
constexpr size_t kVectorsAt = 12;
constexpr size_t kCountAt = 24;

/** Makes an index say that it was built over `vectors`, with checksums that are right. */
void moveTo(const std::string& path, const VectorFile& vectors) {
  Bytes bytes = readFile(path);
  const size_t meta = alignUp(kHeader + numberAt<uint32_t>(bytes, kCountAt) * kEntry, kCacheLine);
  const uint32_t checksum = vectors.checksum();
  std::memcpy(bytes.data() + meta + kVectorsAt, &checksum, sizeof checksum);
  sign(bytes);
  writeFile(path, bytes);
}

}  // namespace

CHECK_CASE(otherVectors, "an index that claims to be over vectors of a format it is not made for is refused") {
  for (IndexPlan plan : fuzz::smallPlans()) {
    const std::vector<VectorFormat> formats = fuzz::formatsOf(plan.type);
    const auto own = fuzz::writeSome(scratchPath("own-vectors"), formats.front(), kDim, kRows, 5);
    for (uint32_t format = 0; format < fuzz::kFormats; format++) {
      const auto given = static_cast<VectorFormat>(format);
      if (std::find(formats.begin(), formats.end(), given) != formats.end()) continue;
      plan.path = scratchPath("moved-index");
      fuzz::buildIndex(plan, own);
      const auto other = fuzz::writeSome(scratchPath("other-vectors"), given, kDim, kRows, 5);
      moveTo(plan.path, *other);
      Code code = Code::kOk;
      try {
        openIndex(plan.path, other);
      } catch (const Failure& failure) {
        code = failure.code();
      }
      EXPECT(code == Code::kCorruptData);
    }
  }
}
