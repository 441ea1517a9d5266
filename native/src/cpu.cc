#include "cpu.h"

namespace mishards {
namespace {

std::vector<const Simd*> detect() {
  std::vector<const Simd*> sets;
#if defined(__x86_64__)
  // The builtin also asks the operating system (XGETBV) whether it saves the wide registers.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni")) {
    sets.push_back(&kAvx512);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) sets.push_back(&kAvx2);
#elif defined(__aarch64__)
  sets.push_back(&kNeon);
#endif
  sets.push_back(&kScalar);
  return sets;
}

}  // namespace

const std::vector<const Simd*>& availableSimd() {
  static const std::vector<const Simd*> sets = detect();
  return sets;
}

const Simd* findSimd(const std::string& name) {
  if (name.empty()) return availableSimd().front();
  for (const Simd* set : availableSimd()) {
    if (name == set->name) return set;
  }
  return nullptr;
}

bool cpuHasSse42() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2");
#else
  return false;
#endif
}

}  // namespace mishards
