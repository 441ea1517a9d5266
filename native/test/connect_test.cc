#include <vector>

#include "check.h"
#include "connect_rows.h"
#include "hnsw_index.h"
#include "random.h"

using namespace mishards;

namespace {

uint32_t reachableFrom(const LinkTable& table, uint32_t entry) {
  std::vector<bool> seen(table.rowCount, false);
  std::vector<uint32_t> pending{entry};
  seen[entry] = true;
  uint32_t count = 0;
  while (!pending.empty()) {
    const uint32_t row = pending.back();
    pending.pop_back();
    count++;
    for (uint32_t at = 0; at < table.degree && table.of(row)[at] != kNoLink; at++) {
      const uint32_t link = table.of(row)[at];
      if (!seen[link]) pending.push_back(link);
      seen[link] = true;
    }
  }
  return count;
}

}  // namespace

CHECK_CASE(connectsRows, "rows that nothing links to are linked where there is room, and the count of the others is true") {
  uint64_t state = checkSeed;
  for (uint32_t round = 0; round < 200; round++) {
    const auto rowCount = static_cast<uint32_t>(1 + mix64(state++) % 60);
    const uint32_t degree = 1 + round % 5;
    const uint32_t stride = degree + round % 3;
    std::vector<uint32_t> links(size_t{rowCount} * stride, kNoLink);
    const LinkTable table{links.data(), rowCount, stride, degree};
    for (uint32_t row = 0; row < rowCount; row++) {
      const uint64_t used = mix64(state++) % (degree + 1);
      for (uint64_t at = 0; at < used; at++) table.of(row)[at] = static_cast<uint32_t>(mix64(state++) % rowCount);
    }
    const uint32_t before = reachableFrom(table, 0);
    const uint32_t unreached = connectRows(table, 0);
    EXPECT(reachableFrom(table, 0) == rowCount - unreached);
    EXPECT(rowCount - unreached >= before);
    for (uint32_t row = 0; row < rowCount; row++) {
      for (uint32_t at = degree; at < stride; at++) EXPECT(table.of(row)[at] == kNoLink);
    }
  }
}

CHECK_CASE(connectsChain, "a chain of rows that only point at the entry is linked as a whole") {
  std::vector<uint32_t> links(8 * 2, kNoLink);
  const LinkTable table{links.data(), 8, 2, 2};
  for (uint32_t row = 1; row < 8; row++) table.of(row)[0] = row - 1;
  EXPECT(connectRows(table, 0) == 0);
  EXPECT(reachableFrom(table, 0) == 8);
}
