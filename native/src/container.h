#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "memory.h"

namespace mishards {

/** What a file holds. */
enum class FileKind : uint32_t { kVectors = 1, kHnsw = 2, kIvf = 3, kSparse = 4, kBinaryIvf = 5, kDisk = 6 };

/** Where the first section of a file with so many begins. */
constexpr size_t firstSectionOffset(size_t sectionCount) {
  return (64 + sectionCount * 32 + kCacheLine - 1) / kCacheLine * kCacheLine;
}

/** A section's name, four characters. */
constexpr uint32_t sectionTag(const char (&name)[5]) {
  return static_cast<uint32_t>(name[0]) | static_cast<uint32_t>(name[1]) << 8 | static_cast<uint32_t>(name[2]) << 16 |
         static_cast<uint32_t>(name[3]) << 24;
}

/**
 * Writes one file of checksummed sections, in docs/internals/index-format.md's layout. The bytes of a section must not
 * change before `finish`, which puts the file at its path in one step: a mapped file is never changed in place.
 */
class ContainerWriter {
 public:
  ContainerWriter(std::string path, FileKind kind) : path_(std::move(path)), kind_(kind) {}

  /** Writes `size` bytes of a section from `offset` on to `out`. Asked for one chunk after the other, twice. */
  using Fill = std::function<void(size_t offset, size_t size, uint8_t* out)>;

  void add(uint32_t tag, const void* bytes, size_t size);
  /** A section that is not in memory as a whole: made in chunks of `chunkBytes`, the last one shorter. */
  void addChunks(uint32_t tag, size_t size, size_t chunkBytes, Fill fill);
  /** Returns the size of the file. Throws `Failure` and leaves nothing behind. */
  size_t finish();

 private:
  struct Section {
    uint32_t tag;
    const void* bytes;
    size_t size;
    size_t chunkBytes;
    Fill fill;
  };

  /** Calls `visit(bytes, size)` for the bytes of a section, in order. */
  template <typename Visit>
  static void forEachChunk(const Section& section, Visit visit);
  std::vector<uint8_t> header(size_t fileBytes) const;

  std::string path_;
  FileKind kind_;
  std::vector<Section> sections_;
};

/** What the header says the file holds, checked by nothing yet. Throws `CORRUPT_DATA` when there is none. */
uint32_t peekKind(const std::string& path);

/** The sections of a file whose every byte was checked. */
class ContainerReader {
 public:
  /** `size` bytes at `bytes`; throws `CORRUPT_DATA` on anything a writer would not have written. */
  ContainerReader(const std::string& path, const uint8_t* bytes, size_t size, FileKind kind);

  /** Offset and size of a section that must be there. */
  size_t sectionOffset(uint32_t tag) const { return section(tag).offset; }
  size_t sectionSize(uint32_t tag) const { return section(tag).size; }
  uint32_t sectionChecksum(uint32_t tag) const { return section(tag).checksum; }
  /** The section's start, when it has exactly `size` bytes. */
  const uint8_t* expect(uint32_t tag, size_t size) const;

  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  struct Section {
    uint32_t tag;
    uint32_t checksum;
    size_t offset;
    size_t size;
  };

  const Section& section(uint32_t tag) const;
  void requireZeros(size_t from, size_t to) const;

  std::string path_;
  const uint8_t* bytes_;
  std::vector<Section> sections_;
};

}  // namespace mishards
