#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mishards {

constexpr size_t kCacheLine = 64;

inline size_t alignUp(size_t value, size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/** A hint to the system about mapped bytes and the pages they touch; what it does not take changes nothing. */
enum class Advice { kSequential, kRandom, kSoon, kUnused };
void advise(const void* begin, size_t size, Advice advice);

/**
 * A range of pages, unmapped on destruction: zeroed anonymous memory (huge pages asked for), or a file mapped for
 * reading. The start is aligned to a page. Throws `Failure`.
 */
class Pages {
 public:
  Pages() = default;
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages();

  static Pages allocate(size_t bytes);
  static Pages map(const std::string& path);
  /** The whole file copied into anonymous memory: random access over huge pages needs far fewer TLB entries. */
  static Pages load(const std::string& path, size_t* fileBytes);

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  Pages(uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/** Views over memory laid out by this program: `T` at a byte offset. */
template <typename T>
const T* viewAt(const uint8_t* bytes, size_t offset) {
  return reinterpret_cast<const T*>(bytes + offset);
}

/** Zeroed anonymous memory seen as an array of `T`. */
template <typename T>
class PageArray {
 public:
  PageArray() = default;
  explicit PageArray(size_t count) : pages_(Pages::allocate(count * sizeof(T))), count_(count) {}

  T* data() const { return reinterpret_cast<T*>(pages_.data()); }
  T& operator[](size_t index) const { return data()[index]; }
  size_t size() const { return count_; }
  size_t bytes() const { return count_ * sizeof(T); }

 private:
  Pages pages_;
  size_t count_ = 0;
};

}  // namespace mishards
