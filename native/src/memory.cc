#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "failure.h"

namespace mishards {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw ioFailure("cannot open", path, errno);
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }

  size_t size(const std::string& path) const {
    struct stat status;
    if (fstat(fd_, &status) != 0) throw ioFailure("cannot stat", path, errno);
    if (!S_ISREG(status.st_mode)) throw Failure(Code::kStorageUnavailable, path + " is not a regular file");
    return static_cast<size_t>(status.st_size);
  }

 private:
  int fd_;
};

int adviceCode(Advice advice) {
  switch (advice) {
    case Advice::kSequential:
      return MADV_SEQUENTIAL;
    case Advice::kRandom:
      return MADV_RANDOM;
    case Advice::kSoon:
      return MADV_WILLNEED;
    case Advice::kUnused:
      return MADV_DONTNEED;
  }
  return MADV_NORMAL;
}

}  // namespace

void advise(const void* begin, size_t size, Advice advice) {
  static const auto pageBytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(begin) & ~(pageBytes - 1);
  const auto end = reinterpret_cast<uintptr_t>(begin) + size;
  madvise(reinterpret_cast<void*>(first), end - first, adviceCode(advice));
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Pages::~Pages() {
  if (data_ != nullptr) munmap(data_, size_);
}

Pages Pages::allocate(size_t bytes) {
  if (bytes == 0) return Pages();
  // Whole huge pages only pay off for sizes that are several of them.
  const bool huge = bytes >= 4 * kHugePage;
  const size_t size = huge ? alignUp(bytes, kHugePage) : bytes;
  const size_t reserved = huge ? size + kHugePage : size;
  void* start = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    throw Failure(Code::kMemoryLimit, "cannot allocate " + std::to_string(bytes) + " bytes; ask for less at once");
  }
  auto* first = static_cast<uint8_t*>(start);
  if (!huge) return Pages(first, size);
  auto* aligned = reinterpret_cast<uint8_t*>(alignUp(reinterpret_cast<uintptr_t>(first), kHugePage));
  const size_t before = static_cast<size_t>(aligned - first);
  if (before > 0) munmap(first, before);
  if (before < kHugePage) munmap(aligned + size, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(aligned, size, MADV_HUGEPAGE);
#endif
  return Pages(aligned, size);
}

Pages Pages::map(const std::string& path) {
  const Descriptor file(path);
  const size_t size = file.size(path);
  if (size == 0) throw Failure(Code::kCorruptData, path + " is empty");
  void* start = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
  if (start == MAP_FAILED) throw ioFailure("cannot map", path, errno);
  return Pages(static_cast<uint8_t*>(start), size);
}

Pages Pages::load(const std::string& path, size_t* fileBytes) {
  const Descriptor file(path);
  const size_t size = file.size(path);
  if (size == 0) throw Failure(Code::kCorruptData, path + " is empty");
  // One cache line more than the file: kernels read whole lines, also of the last row.
  Pages pages = allocate(size + kCacheLine);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(file.fd(), pages.data() + done, std::min(size - done, size_t{1} << 30), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ioFailure("cannot read", path, errno);
    if (got == 0) throw Failure(Code::kCorruptData, path + " shrank while it was read");
    done += static_cast<size_t>(got);
  }
  *fileBytes = size;
  return pages;
}

}  // namespace mishards
