// The one place that knows every type of index: a row to build each, a row to open each kind of file.
#include <algorithm>

#include "binary_ivf.h"
#include "container.h"
#include "disk_build.h"
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

HnswParams hnswParams(const IndexPlan& plan, HnswKind kind) {
  return {.metric = plan.metric,
          .degree = plan.integer("M"),
          .efConstruction = plan.integer("efConstruction"),
          .seed = plan.seed,
          .kind = kind};
}

/** `m` parts, or where it was left open the most that have at least four dimensions each. */
uint32_t partsOf(const IndexPlan& plan, uint32_t dim) {
  if (plan.integer("m") != 0) return plan.integer("m");
  uint32_t parts = std::max<uint32_t>(1, dim / 4);
  while (dim % parts != 0) parts--;
  return parts;
}

std::unique_ptr<IndexBuild> startHnsw(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  return std::make_unique<HnswBuild>(simd, std::move(vectors), hnswParams(plan, HnswKind::kPlain), plan.path);
}

/** Codes of 4 bits for SQ4U, of 8 for what asks for more. */
std::unique_ptr<IndexBuild> startHnswSq(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  constexpr uint32_t kSq4 = 0;
  HnswParams params = hnswParams(plan, HnswKind::kScalar);
  params.bits = plan.integer("sq_type") == kSq4 ? 4 : 8;
  params.refine = plan.integer("refine") != 0;
  return std::make_unique<HnswBuild>(simd, std::move(vectors), params, plan.path);
}

/** 4 bits a dimension: more than product codes have, and as fast to compare. */
std::unique_ptr<IndexBuild> startHnswPq(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  HnswParams params = hnswParams(plan, plan.type == "HNSW_PRQ" ? HnswKind::kResidual : HnswKind::kProduct);
  params.bits = 4;
  params.refine = plan.integer("refine") != 0;
  return std::make_unique<HnswBuild>(simd, std::move(vectors), params, plan.path);
}

IvfParams ivfParams(const IndexPlan& plan, IvfKind kind) {
  return {.kind = kind, .metric = plan.metric, .nlist = plan.integer("nlist"), .seed = plan.seed};
}

std::unique_ptr<IndexBuild> startIvf(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  return std::make_unique<IvfBuild>(simd, std::move(vectors), ivfParams(plan, IvfKind::kFlat), plan.path);
}

std::unique_ptr<IndexBuild> startSq8(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  return std::make_unique<IvfBuild>(simd, std::move(vectors), ivfParams(plan, IvfKind::kSq8), plan.path);
}

std::unique_ptr<IndexBuild> startPq(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  IvfParams params = ivfParams(plan, IvfKind::kPq);
  params.parts = partsOf(plan, vectors->rows().dim);
  // As many bits as asked for, or the next size that codes are kept in.
  params.bits = plan.integer("nbits") <= 4 ? 4 : 8;
  return std::make_unique<IvfBuild>(simd, std::move(vectors), params, plan.path);
}

std::unique_ptr<IndexBuild> startRabitq(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  IvfParams params = ivfParams(plan, IvfKind::kRabitq);
  params.refine = plan.integer("refine") != 0;
  return std::make_unique<IvfBuild>(simd, std::move(vectors), params, plan.path);
}

/** Two dimensions a part and 4 bits a code, as ScaNN has them. */
std::unique_ptr<IndexBuild> startScann(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  IvfParams params = ivfParams(plan, IvfKind::kScann);
  params.parts = (vectors->rows().dim + 1) / 2;
  params.bits = 4;
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

std::unique_ptr<IndexBuild> startDisk(const IndexPlan& plan, const Simd& simd, std::shared_ptr<VectorFile> vectors) {
  const DiskParams params{.metric = plan.metric,
                          .degree = plan.integer("max_degree"),
                          .searchList = plan.integer("search_list_size"),
                          .codeShare = plan.number("pq_code_budget_gb_ratio"),
                          .seed = plan.seed};
  return std::make_unique<DiskBuild>(simd, std::move(vectors), params, plan.path);
}

constexpr Recipe kRecipes[] = {
    {"HNSW", startHnsw},
    {"HNSW_SQ", startHnswSq},
    {"HNSW_PQ", startHnswPq},
    {"HNSW_PRQ", startHnswPq},
    {"IVF_FLAT", startIvf},
    {"BIN_IVF_FLAT", startBinaryIvf},
    {"SPARSE_INVERTED_INDEX", startSparse},
    {"SPARSE_WAND", startSparse},
    {"IVF_SQ8", startSq8},
    {"IVF_PQ", startPq},
    {"IVF_RABITQ", startRabitq},
    {"SCANN", startScann},
    {"DISKANN", startDisk},
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
    {FileKind::kDisk, openAs<DiskIndex>},
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
