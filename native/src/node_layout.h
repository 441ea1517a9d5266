#pragma once

#include <cstddef>
#include <cstdint>

#include "memory.h"

namespace mishards {

/** Bytes of a page of a file. Systems with larger ones read more at once. */
constexpr size_t kFilePage = 4096;

/**
 * Where the nodes of a graph on disk are: a row's vector with its links after it, so that a step of a walk reads one place. Nodes
 * share pages without crossing from one to the next, unless that would leave more than a quarter of the file empty.
 */
class NodeLayout {
 public:
  NodeLayout(size_t rowBytes, uint32_t degree, uint32_t rowCount)
      : rowCount_(rowCount),
        degree_(degree),
        linksAt_(alignUp(rowBytes, sizeof(uint32_t))),
        nodeBytes_(linksAt_ + size_t{degree} * sizeof(uint32_t)) {
    const size_t fitting = kFilePage / nodeBytes_;
    const bool inPages = fitting * nodeBytes_ >= kFilePage / 4 * 3;
    groupNodes_ = inPages ? static_cast<uint32_t>(fitting) : 1;
    groupBytes_ = inPages ? kFilePage : nodeBytes_;
  }

  uint32_t rowCount() const { return rowCount_; }
  uint32_t degree() const { return degree_; }
  size_t nodeBytes() const { return nodeBytes_; }
  /** Of the links in a node; the vector is at its start. */
  size_t linksAt() const { return linksAt_; }
  /** Nodes from one multiple of `groupBytes` to the next. */
  uint32_t groupNodes() const { return groupNodes_; }
  size_t groupBytes() const { return groupBytes_; }
  size_t bytes() const { return (size_t{rowCount_} + groupNodes_ - 1) / groupNodes_ * groupBytes_; }
  size_t offsetOf(uint32_t row) const { return row / groupNodes_ * groupBytes_ + row % groupNodes_ * nodeBytes_; }

 private:
  uint32_t rowCount_;
  uint32_t degree_;
  size_t linksAt_;
  size_t nodeBytes_;
  uint32_t groupNodes_;
  size_t groupBytes_;
};

}  // namespace mishards
