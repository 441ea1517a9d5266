#include "scheduling.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace mishards {

#ifdef __linux__
namespace {

/** `struct sched_attr` of the system's calls, first version, which not every libc declares. */
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtimeNanoseconds;
  uint64_t deadlineNanoseconds;
  uint64_t periodNanoseconds;
};
static_assert(sizeof(SchedulingAttributes) == 48);

/** The usual turn is 0.7 ms with one processor, 2.8 ms with eight or more. 5 and 10 ms made timers later again. */
constexpr uint64_t kTurnNanoseconds = 3'000'000;

}  // namespace

void takeLongTurns() {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH) return;
  attributes.runtimeNanoseconds = kTurnNanoseconds;
  // What may not be set leaves the turns as they are: later timers, no other answers.
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}
#else
void takeLongTurns() {}
#endif

}  // namespace mishards
