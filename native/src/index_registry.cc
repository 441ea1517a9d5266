// The one place that knows every type of index: a row to build each, a row to open each kind of file.
#include <functional>

#include "binary_ivf.h"
#include "container.h"
#include "failure.h"
#include "hnsw_build.h"
#include "index_build.h"
#include "ivf_build.h"
#include "ivf_index.h"
#include "sparse_build.h"
#include "sparse_index.h"

namespace mishards {
namespace {

struct Recipe {
  const char* type;
  std::unique_ptr<IndexBuild> (*start)(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors);
};

std::unique_ptr<IndexBuild> startHnsw(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  const HnswParams params{plan.metric, plan.integer("M"), plan.integer("efConstruction"), plan.seed};
  return std::make_unique<HnswBuild>(simd, std::move(vectors), params, plan.path);
}

std::unique_ptr<IndexBuild> startIvf(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  const IvfParams params{plan.metric, plan.integer("nlist"), plan.seed};
  return std::make_unique<IvfBuild>(simd, std::move(vectors), params, plan.path);
}

std::unique_ptr<IndexBuild> startSparse(const IndexPlan& plan, const Simd&, std::shared_ptr<VectorFile> vectors) {
  const bool isWand = plan.type == "SPARSE_WAND";
  const auto algorithm = isWand ? SparseAlgorithm::kWand : static_cast<SparseAlgorithm>(plan.integer("inverted_index_algo"));
  return std::make_unique<SparseBuild>(std::move(vectors), SparseParams{plan.metric, algorithm, isWand}, plan.path);
}

std::unique_ptr<IndexBuild> startBinaryIvf(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  const BinaryIvfParams params{plan.metric, plan.integer("nlist"), plan.seed};
  return std::make_unique<BinaryIvfBuild>(simd, std::move(vectors), params, plan.path);
}

constexpr Recipe kRecipes[] = {
    {"HNSW", startHnsw},
    {"IVF_FLAT", startIvf},
    {"BIN_IVF_FLAT", startBinaryIvf},
    {"SPARSE_INVERTED_INDEX", startSparse},
    {"SPARSE_WAND", startSparse},
};

struct Reader {
  FileKind kind;
  std::shared_ptr<VectorIndex> (*open)(const std::string& path, std::shared_ptr<VectorFile> vectors);
};

template <typename Index>
std::shared_ptr<VectorIndex> openAs(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  return Index::open(path, std::move(vectors));
}

constexpr Reader kReaders[] = {
    {FileKind::kHnsw, openAs<HnswIndex>},
    {FileKind::kIvf, openAs<IvfIndex>},
    {FileKind::kBinaryIvf, openAs<BinaryIvfIndex>},
    {FileKind::kSparse, openAs<SparseIndex>},
};

}  // namespace

std::unique_ptr<IndexBuild> startBuild(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  for (const Recipe& recipe : kRecipes) {
    if (plan.type == recipe.type) return recipe.start(plan, simd, std::move(vectors));
  }
  throw Failure(Code::kInternal, "nothing builds an index of type " + plan.type);
}

std::shared_ptr<VectorIndex> openIndex(const std::string& path, std::shared_ptr<VectorFile> vectors) {
  const uint32_t kind = peekKind(path);
  for (const Reader& reader : kReaders) {
    if (kind == static_cast<uint32_t>(reader.kind)) return reader.open(path, std::move(vectors));
  }
  throw Failure(Code::kCorruptData, "cannot use " + path + ": it is no index; restore it from a good copy");
}

}  // namespace mishards
