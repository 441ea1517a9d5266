#include "container.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "crc32c.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr char kMagic[8] = {'M', 'I', 'S', 'H', 'A', 'R', 'D', 'S'};
constexpr uint32_t kVersion = 1;
constexpr size_t kSectionsMax = 16;
constexpr size_t kWriteBytesMax = size_t{1} << 30;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t kind;
  uint64_t fileBytes;
  uint32_t sectionCount;
  /** Of the header, with zero here, and the section table. */
  uint32_t checksum;
  uint8_t reserved[32];
};
static_assert(sizeof(Header) == 64);

struct TableEntry {
  uint32_t tag;
  uint32_t checksum;
  uint64_t offset;
  uint64_t bytes;
  uint64_t reserved;
};
static_assert(sizeof(TableEntry) == 32);

uint32_t headerChecksum(const uint8_t* bytes, size_t size) {
  std::vector<uint8_t> copy(bytes, bytes + size);
  std::memset(copy.data() + offsetof(Header, checksum), 0, sizeof(uint32_t));
  return crc32c(copy.data(), copy.size());
}

constexpr size_t tableEnd(size_t sectionCount) {
  return sizeof(Header) + sectionCount * sizeof(TableEntry);
}

static_assert(firstSectionOffset(1) == 128 && tableEnd(1) == 96 && firstSectionOffset(2) == tableEnd(2));

/** A file that is removed again unless it was put at its path. */
class PartialFile {
 public:
  explicit PartialFile(const std::string& target) {
    static std::atomic<uint64_t> counter{0};
    path_ = target + "." + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".partial";
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd_ < 0) throw ioFailure("cannot create", path_, errno);
  }
  ~PartialFile() {
    if (fd_ >= 0) close(fd_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(const void* bytes, size_t size) {
    const auto* at = static_cast<const uint8_t*>(bytes);
    while (size > 0) {
      const ssize_t done = ::write(fd_, at, std::min(size, kWriteBytesMax));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) throw ioFailure("cannot write", path_, errno);
      at += done;
      size -= static_cast<size_t>(done);
    }
  }

  void moveTo(const std::string& target) {
    const int closed = close(fd_);
    fd_ = -1;
    if (closed != 0) throw ioFailure("cannot close", path_, errno);
    if (rename(path_.c_str(), target.c_str()) != 0) throw ioFailure("cannot rename to", target, errno);
    path_.clear();
  }

 private:
  std::string path_;
  int fd_;
};

}  // namespace

void ContainerWriter::add(uint32_t tag, const void* bytes, size_t size) {
  if (sections_.size() == kSectionsMax) throw Failure(Code::kInternal, "a file has at most 16 sections");
  sections_.push_back({tag, bytes, size, size, nullptr});
}

void ContainerWriter::addChunks(uint32_t tag, size_t size, size_t chunkBytes, Fill fill) {
  add(tag, nullptr, size);
  sections_.back().chunkBytes = chunkBytes;
  sections_.back().fill = std::move(fill);
}

template <typename Visit>
void ContainerWriter::forEachChunk(const Section& section, Visit visit) {
  if (!section.fill) return visit(static_cast<const uint8_t*>(section.bytes), section.size);
  std::vector<uint8_t> chunk(std::min(section.chunkBytes, section.size));
  for (size_t offset = 0; offset < section.size; offset += chunk.size()) {
    const size_t size = std::min(chunk.size(), section.size - offset);
    section.fill(offset, size, chunk.data());
    visit(chunk.data(), size);
  }
}

std::vector<uint8_t> ContainerWriter::header(size_t fileBytes) const {
  std::vector<uint8_t> bytes(alignUp(tableEnd(sections_.size()), kCacheLine), 0);
  size_t offset = bytes.size();
  std::vector<TableEntry> table;
  for (const Section& section : sections_) {
    uint32_t checksum = 0;
    forEachChunk(section, [&](const uint8_t* chunk, size_t size) { checksum = crc32c(chunk, size, checksum); });
    table.push_back({section.tag, checksum, offset, section.size, 0});
    offset += alignUp(section.size, kCacheLine);
  }
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.kind = static_cast<uint32_t>(kind_);
  header.fileBytes = fileBytes;
  header.sectionCount = static_cast<uint32_t>(sections_.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  if (!table.empty()) std::memcpy(bytes.data() + sizeof header, table.data(), table.size() * sizeof(TableEntry));
  header.checksum = headerChecksum(bytes.data(), tableEnd(table.size()));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

size_t ContainerWriter::finish() {
  size_t fileBytes = alignUp(tableEnd(sections_.size()), kCacheLine);
  for (const Section& section : sections_) fileBytes += alignUp(section.size, kCacheLine);
  const std::vector<uint8_t> start = header(fileBytes);
  static constexpr uint8_t kZeros[kCacheLine] = {};
  PartialFile file(path_);
  file.write(start.data(), start.size());
  for (const Section& section : sections_) {
    forEachChunk(section, [&](const uint8_t* chunk, size_t size) { file.write(chunk, size); });
    file.write(kZeros, alignUp(section.size, kCacheLine) - section.size);
  }
  file.moveTo(path_);
  return fileBytes;
}

uint32_t peekKind(const std::string& path) {
  const Pages pages = Pages::map(path);
  uint32_t kind = 0;
  if (pages.size() < offsetof(Header, kind) + sizeof kind) {
    throw Failure(Code::kCorruptData, "cannot use " + path + ": it has " + std::to_string(pages.size()) +
                                          " bytes, fewer than a header; restore it from a good copy");
  }
  std::memcpy(&kind, pages.data() + offsetof(Header, kind), sizeof kind);
  return kind;
}

ContainerReader::ContainerReader(const std::string& path, const uint8_t* bytes, size_t size, FileKind kind)
    : path_(path), bytes_(bytes) {
  Header header;
  if (size < sizeof header) refuse("it has " + std::to_string(size) + " bytes, fewer than a header");
  std::memcpy(&header, bytes, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) refuse("it does not start with MISHARDS");
  if (header.version != kVersion) refuse("its version is " + std::to_string(header.version) + ", not 1");
  if (header.sectionCount > kSectionsMax || tableEnd(header.sectionCount) > size) refuse("its section table is out of bounds");
  const size_t end = tableEnd(header.sectionCount);
  if (headerChecksum(bytes, end) != header.checksum) refuse("its header fails its checksum");
  if (header.kind != static_cast<uint32_t>(kind)) refuse("it is a file of another kind");
  if (header.fileBytes != size) {
    refuse("it has " + std::to_string(size) + " of " + std::to_string(header.fileBytes) + " bytes");
  }
  size_t offset = alignUp(end, kCacheLine);
  requireZeros(end, std::min(offset, size));
  for (size_t index = 0; index < header.sectionCount; index++) {
    TableEntry entry;
    std::memcpy(&entry, bytes + sizeof header + index * sizeof entry, sizeof entry);
    if (entry.offset != offset || offset > size || entry.bytes > size - offset) refuse("a section is out of bounds");
    if (crc32c(bytes + offset, entry.bytes) != entry.checksum) refuse("a section fails its checksum");
    sections_.push_back({entry.tag, entry.checksum, offset, entry.bytes});
    const size_t next = offset + alignUp(entry.bytes, kCacheLine);
    if (next > size) refuse("a section is not padded");
    requireZeros(offset + entry.bytes, next);
    offset = next;
  }
  if (offset != size) refuse("it goes on after its last section");
}

const ContainerReader::Section& ContainerReader::section(uint32_t tag) const {
  for (const Section& section : sections_) {
    if (section.tag == tag) return section;
  }
  refuse("a section is missing");
}

const uint8_t* ContainerReader::expect(uint32_t tag, size_t size) const {
  const Section& found = section(tag);
  if (found.size != size) {
    refuse("a section has " + std::to_string(found.size) + " bytes instead of " + std::to_string(size));
  }
  return bytes_ + found.offset;
}

void ContainerReader::requireZeros(size_t from, size_t to) const {
  for (size_t at = from; at < to; at++) {
    if (bytes_[at] != 0) refuse("its padding is not zero");
  }
}

void ContainerReader::refuse(const std::string& reason) const {
  throw Failure(Code::kCorruptData, "cannot use " + path_ + ": " + reason + "; restore it from a good copy");
}

}  // namespace mishards
