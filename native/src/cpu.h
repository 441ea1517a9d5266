#pragma once

#include <string>
#include <vector>

#include "simd/simd.h"

namespace mishards {

/** Instruction sets this processor (and operating system) can run, the best first; 'scalar' is always the last. */
const std::vector<const Simd*>& availableSimd();

/** The set of this name, or null when the processor lacks it; an empty name gives the best. */
const Simd* findSimd(const std::string& name);

bool cpuHasSse42();

}  // namespace mishards
