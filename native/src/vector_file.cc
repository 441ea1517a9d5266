#include "vector_file.h"

#include <cmath>
#include <cstring>

#include "container.h"
#include "crc32c.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kValues = sectionTag("VECS");
constexpr uint32_t kOffsets = sectionTag("OFFS");
constexpr uint32_t kIndices = sectionTag("DIMS");

/** Files of float32 vectors end after `dim`, as they did before there were other formats. */
struct Meta {
  uint32_t rowCount;
  uint32_t dim;
  uint32_t format;
  uint32_t reserved;
};
constexpr size_t kFloatMetaBytes = 2 * sizeof(uint32_t);

Meta readMeta(const ContainerReader& reader) {
  Meta meta{};
  if (reader.sectionSize(kMeta) == kFloatMetaBytes) {
    std::memcpy(&meta, reader.expect(kMeta, kFloatMetaBytes), kFloatMetaBytes);
    return meta;
  }
  std::memcpy(&meta, reader.expect(kMeta, sizeof meta), sizeof meta);
  const auto last = static_cast<uint32_t>(VectorFormat::kSparse);
  if (meta.format == 0 || meta.format > last) reader.refuse("its format is " + std::to_string(meta.format));
  if (meta.reserved != 0) reader.refuse("its reserved bytes are not zero");
  return meta;
}

void checkRow(const ContainerReader& reader, const SparseRow& row) {
  for (uint32_t i = 0; i < row.count; i++) {
    if (row.indices[i] == kNoDimension || (i > 0 && row.indices[i] <= row.indices[i - 1])) {
      reader.refuse("the dimensions of a row do not ascend");
    }
    if (!std::isfinite(row.values[i])) reader.refuse("a value of a row is not a number");
  }
}

}  // namespace

std::shared_ptr<VectorFile> VectorFile::open(const std::string& path) {
  std::shared_ptr<VectorFile> file(new VectorFile());
  file->pages_ = Pages::map(path);
  const uint8_t* bytes = file->pages_.data();
  const ContainerReader reader(path, bytes, file->pages_.size(), FileKind::kVectors);
  const Meta meta = readMeta(reader);
  const auto format = static_cast<VectorFormat>(meta.format);
  const bool isSparse = format == VectorFormat::kSparse;
  const bool fits = isSparse ? meta.dim == 0 : isDenseDim(format, meta.dim);
  if (!fits) reader.refuse("its dimension is " + std::to_string(meta.dim));
  file->rows_ = {nullptr, meta.rowCount, meta.dim, format};
  if (isSparse) {
    file->readSparse(reader);
  } else {
    file->rows_.data = reader.expect(kValues, meta.rowCount * file->rows_.rowBytes());
    file->checksum_ = reader.sectionChecksum(kValues);
  }
  return file;
}

void VectorFile::readSparse(const ContainerReader& reader) {
  const uint32_t rowCount = rows_.rowCount;
  const size_t entries = reader.sectionSize(kIndices) / sizeof(uint32_t);
  const auto numbers = [&](uint32_t tag, size_t count) {
    return reinterpret_cast<const uint32_t*>(reader.expect(tag, count * sizeof(uint32_t)));
  };
  sparse_.rowCount = rowCount;
  sparse_.offsets = numbers(kOffsets, size_t{rowCount} + 1);
  sparse_.indices = numbers(kIndices, entries);
  sparse_.values = reinterpret_cast<const float*>(numbers(kValues, entries));
  const uint32_t* offsets = sparse_.offsets;
  if (offsets[0] != 0 || offsets[rowCount] != entries) reader.refuse("its rows do not fill it");
  for (size_t row = 0; row < rowCount; row++) {
    if (offsets[row] > offsets[row + 1]) reader.refuse("its rows overlap");
  }
  for (size_t row = 0; row < rowCount; row++) checkRow(reader, sparse_.row(row));
  const uint32_t sums[] = {reader.sectionChecksum(kOffsets), reader.sectionChecksum(kIndices),
                           reader.sectionChecksum(kValues)};
  checksum_ = crc32c(sums, sizeof sums);
}

size_t VectorFile::write(const std::string& path, const VectorRows& rows) {
  const Meta meta{rows.rowCount, rows.dim, static_cast<uint32_t>(rows.format), 0};
  ContainerWriter writer(path, FileKind::kVectors);
  writer.add(kMeta, &meta, rows.format == VectorFormat::kFloat32 ? kFloatMetaBytes : sizeof meta);
  writer.add(kValues, rows.data, rows.rowCount * rows.rowBytes());
  return writer.finish();
}

size_t VectorFile::write(const std::string& path, const SparseRows& rows) {
  const Meta meta{rows.rowCount, 0, static_cast<uint32_t>(VectorFormat::kSparse), 0};
  const size_t entries = rows.offsets[rows.rowCount];
  ContainerWriter writer(path, FileKind::kVectors);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kOffsets, rows.offsets, (size_t{rows.rowCount} + 1) * sizeof(uint32_t));
  writer.add(kIndices, rows.indices, entries * sizeof(uint32_t));
  writer.add(kValues, rows.values, entries * sizeof(float));
  return writer.finish();
}

}  // namespace mishards
