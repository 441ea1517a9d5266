#pragma once

#include <memory>
#include <string>

#include "container.h"
#include "memory.h"
#include "source.h"
#include "sparse.h"

namespace mishards {

/** A mapped and checked file of raw vectors. */
class VectorFile {
 public:
  static std::shared_ptr<VectorFile> open(const std::string& path);
  /** Returns the size of the file. */
  static size_t write(const std::string& path, const VectorRows& rows);
  static size_t write(const std::string& path, const SparseRows& rows);

  /** Of sparse vectors without the rows themselves. */
  const VectorRows& rows() const { return rows_; }
  const SparseRows& sparseRows() const { return sparse_; }
  /** CRC-32C of the rows: what an index remembers of its vectors. */
  uint32_t checksum() const { return checksum_; }
  size_t bytes() const { return pages_.size(); }

 private:
  VectorFile() = default;

  void readSparse(const ContainerReader& reader);

  Pages pages_;
  VectorRows rows_{};
  SparseRows sparse_{};
  uint32_t checksum_ = 0;
};

}  // namespace mishards
