#pragma once

#include "container.h"

/** Sections of a BIN_IVF_FLAT file. */
namespace mishards::binary_ivf_sections {

constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kCentres = sectionTag("CENT");
constexpr uint32_t kOffsets = sectionTag("LOFF");
constexpr uint32_t kRows = sectionTag("ROWS");
constexpr uint32_t kBits = sectionTag("BITS");

}  // namespace mishards::binary_ivf_sections
