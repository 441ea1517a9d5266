#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "simd/simd.h"
#include "vector_file.h"

namespace mishards {

/** Slices that any threads run in any order; `progressEnd` is the share of the build that is done after them. */
struct BuildPhase {
  uint32_t slices;
  double progressEnd;
};

/** The work of building one index file, in phases. `BuildJob` runs them on the pool. */
class IndexBuild {
 public:
  virtual ~IndexBuild() = default;

  /** Sets up the next phase; false when the file is written. No slice runs meanwhile. */
  virtual bool nextPhase(BuildPhase* phase) = 0;
  /** One slice of the phase. Long ones return early when `stopped`. */
  virtual void run(uint32_t slice, const std::atomic<bool>& stopped) = 0;

  /** After the last phase. */
  virtual size_t fileBytes() const = 0;
  virtual size_t peakBytes() const = 0;
};

/** What `buildIndex` of `src/kernel/native-binding.ts` asks for. Every parameter of the type is there, within its range. */
struct IndexPlan {
  std::string type;
  Metric metric;
  std::map<std::string, double> params;
  uint64_t seed;
  std::string path;

  double number(const char* name) const { return params.at(name); }
  uint32_t integer(const char* name) const { return static_cast<uint32_t>(params.at(name)); }
};

/** Allocates what the build needs. Throws `INTERNAL` for a type that nothing builds. */
std::unique_ptr<IndexBuild> startBuild(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors);

}  // namespace mishards
