#pragma once

#include <memory>
#include <string>

#include "memory.h"
#include "source.h"

namespace mishards {

/** A mapped and checked file of raw vectors. */
class VectorFile {
 public:
  static std::shared_ptr<VectorFile> open(const std::string& path);
  /** Returns the size of the file. */
  static size_t write(const std::string& path, const VectorRows& rows);

  const VectorRows& rows() const { return rows_; }
  /** CRC-32C of the values: what an index remembers of its vectors. */
  uint32_t checksum() const { return checksum_; }
  size_t bytes() const { return pages_.size(); }

 private:
  VectorFile() = default;

  Pages pages_;
  VectorRows rows_{};
  uint32_t checksum_ = 0;
};

}  // namespace mishards
