#include "connect_rows.h"

#include <vector>

#include "hnsw_index.h"

namespace mishards {
namespace {

class Connector {
 public:
  explicit Connector(const LinkTable& table) : table_(table), reached_(table.rowCount, 0) {}

  /** Marks everything that can be reached from `row`. */
  void reach(uint32_t row) {
    if (reached_[row] != 0) return;
    reached_[row] = 1;
    reachedCount_++;
    pending_.push_back(row);
    while (!pending_.empty()) {
      const uint32_t next = pending_.back();
      pending_.pop_back();
      forEachLink(next, [&](uint32_t link) {
        if (reached_[link] != 0) return false;
        reached_[link] = 1;
        reachedCount_++;
        pending_.push_back(link);
        return false;
      });
    }
  }

  bool isReached(uint32_t row) const { return reached_[row] != 0; }
  uint32_t unreachedCount() const { return table_.rowCount - reachedCount_; }

  /** Links to `row` from the first reached row with room, up to two links away from it. */
  bool linkTo(uint32_t row) {
    const auto take = [&](uint32_t from) { return append(from, row); };
    if (forEachLink(row, take)) return true;
    return forEachLink(row, [&](uint32_t link) { return forEachLink(link, take); });
  }

 private:
  /** Until `visit` returns true, which is then returned. */
  template <typename Visit>
  bool forEachLink(uint32_t row, Visit visit) {
    const uint32_t* links = table_.of(row);
    for (uint32_t at = 0; at < table_.degree && links[at] != kNoLink; at++) {
      if (visit(links[at])) return true;
    }
    return false;
  }

  bool append(uint32_t from, uint32_t to) {
    if (!isReached(from)) return false;
    uint32_t* links = table_.of(from);
    for (uint32_t at = 0; at < table_.degree; at++) {
      if (links[at] != kNoLink) continue;
      links[at] = to;
      return true;
    }
    return false;
  }

  const LinkTable& table_;
  std::vector<uint8_t> reached_;
  std::vector<uint32_t> pending_;
  uint32_t reachedCount_ = 0;
};

}  // namespace

uint32_t connectRows(const LinkTable& table, uint32_t entry) {
  if (table.rowCount == 0) return 0;
  Connector connector(table);
  connector.reach(entry);
  // A link to one row may open the way to a neighbour of the next, so this goes on while it helps.
  for (bool helped = true; helped && connector.unreachedCount() > 0;) {
    helped = false;
    for (uint32_t row = 0; row < table.rowCount; row++) {
      if (connector.isReached(row) || !connector.linkTo(row)) continue;
      connector.reach(row);
      helped = true;
    }
  }
  return connector.unreachedCount();
}

}  // namespace mishards
