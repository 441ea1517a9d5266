#pragma once

#include <exception>
#include <string>

namespace mishards {

/** Rows of the project's error table that the kernel can raise; the names travel to TypeScript as they are. */
enum class Code {
  kOk,
  kCancelled,
  kCorruptData,
  kDeadlineExceeded,
  kIndexInvalid,
  kInternal,
  kMemoryLimit,
  kObjectNotFound,
  kOverloaded,
  kServiceNotReady,
  kStorageUnavailable,
};

const char* codeName(Code code);

/** A failure of operation. Thrown inside the kernel, caught where a task or a bridge call ends. */
class Failure : public std::exception {
 public:
  Failure(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Code code_;
  std::string message_;
};

/** `action` and `path` with the text of `errno`. */
Failure ioFailure(const std::string& action, const std::string& path, int error);

/** The exception in flight as a failure; legal only inside a catch block. */
Failure currentFailure();

}  // namespace mishards
