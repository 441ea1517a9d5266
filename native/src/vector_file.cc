#include "vector_file.h"

#include <cstring>

#include "container.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kValues = sectionTag("VECS");

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
  const auto last = static_cast<uint32_t>(VectorFormat::kBinary);
  if (meta.format == 0 || meta.format > last) reader.refuse("its format is " + std::to_string(meta.format));
  if (meta.reserved != 0) reader.refuse("its reserved bytes are not zero");
  return meta;
}

}  // namespace

std::shared_ptr<VectorFile> VectorFile::open(const std::string& path) {
  std::shared_ptr<VectorFile> file(new VectorFile());
  file->pages_ = Pages::map(path);
  const uint8_t* bytes = file->pages_.data();
  const ContainerReader reader(path, bytes, file->pages_.size(), FileKind::kVectors);
  const Meta meta = readMeta(reader);
  const auto format = static_cast<VectorFormat>(meta.format);
  if (!isDenseDim(format, meta.dim)) reader.refuse("its dimension is " + std::to_string(meta.dim));
  const size_t size = meta.rowCount * rowBytesOf(format, meta.dim);
  file->rows_ = {reader.expect(kValues, size), meta.rowCount, meta.dim, format};
  file->checksum_ = reader.sectionChecksum(kValues);
  return file;
}

size_t VectorFile::write(const std::string& path, const VectorRows& rows) {
  const Meta meta{rows.rowCount, rows.dim, static_cast<uint32_t>(rows.format), 0};
  ContainerWriter writer(path, FileKind::kVectors);
  writer.add(kMeta, &meta, rows.format == VectorFormat::kFloat32 ? kFloatMetaBytes : sizeof meta);
  writer.add(kValues, rows.data, rows.rowCount * rows.rowBytes());
  return writer.finish();
}

}  // namespace mishards
