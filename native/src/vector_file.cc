#include "vector_file.h"

#include "container.h"
#include "failure.h"

namespace mishards {
namespace {

constexpr uint32_t kMeta = sectionTag("META");
constexpr uint32_t kValues = sectionTag("VECS");

struct Meta {
  uint32_t rowCount;
  uint32_t dim;
};

}  // namespace

std::shared_ptr<VectorFile> VectorFile::open(const std::string& path) {
  std::shared_ptr<VectorFile> file(new VectorFile());
  file->pages_ = Pages::map(path);
  const uint8_t* bytes = file->pages_.data();
  const ContainerReader reader(path, bytes, file->pages_.size(), FileKind::kVectors);
  const Meta meta = *reinterpret_cast<const Meta*>(reader.expect(kMeta, sizeof(Meta)));
  if (meta.dim == 0 || meta.dim > kDimMax) reader.refuse("its dimension is " + std::to_string(meta.dim));
  const size_t size = size_t{meta.rowCount} * meta.dim * sizeof(float);
  file->rows_ = {reinterpret_cast<const float*>(reader.expect(kValues, size)), meta.rowCount, meta.dim};
  file->checksum_ = reader.sectionChecksum(kValues);
  return file;
}

size_t VectorFile::write(const std::string& path, const float* values, size_t valueCount, uint32_t dim) {
  const Meta meta{static_cast<uint32_t>(valueCount / dim), dim};
  ContainerWriter writer(path, FileKind::kVectors);
  writer.add(kMeta, &meta, sizeof meta);
  writer.add(kValues, values, valueCount * sizeof(float));
  return writer.finish();
}

}  // namespace mishards
