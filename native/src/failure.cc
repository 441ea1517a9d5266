#include "failure.h"

#include <cerrno>
#include <new>
#include <system_error>

namespace mishards {

const char* codeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kCancelled:
      return "CANCELLED";
    case Code::kCorruptData:
      return "CORRUPT_DATA";
    case Code::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case Code::kIndexInvalid:
      return "INDEX_INVALID";
    case Code::kInternal:
      return "INTERNAL";
    case Code::kMemoryLimit:
      return "MEMORY_LIMIT";
    case Code::kObjectNotFound:
      return "OBJECT_NOT_FOUND";
    case Code::kOverloaded:
      return "OVERLOADED";
    case Code::kServiceNotReady:
      return "SERVICE_NOT_READY";
    case Code::kStorageUnavailable:
      return "STORAGE_UNAVAILABLE";
  }
  return "INTERNAL";
}

Failure ioFailure(const std::string& action, const std::string& path, int error) {
  const Code code = error == ENOENT ? Code::kObjectNotFound : Code::kStorageUnavailable;
  return Failure(code, action + " " + path + ": " + std::generic_category().message(error));
}

Failure currentFailure() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const std::bad_alloc&) {
    return Failure(Code::kMemoryLimit, "the kernel could not allocate memory for this request; ask for less at once");
  } catch (const std::exception& error) {
    return Failure(Code::kInternal, error.what());
  } catch (...) {
    return Failure(Code::kInternal, "unknown exception in the kernel");
  }
}

}  // namespace mishards
