#include <cmath>
#include <condition_variable>
#include <mutex>

#include "cpu.h"
#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"
#include "search_job.h"

using namespace mishards;

namespace fuzz {
namespace {

constexpr uint32_t kDim = 16;
// Enough for three lists.
constexpr uint32_t kRows = 130;
constexpr uint32_t kSourcesMax = 4;
constexpr uint32_t kQueriesMax = 3;
constexpr uint32_t kThreads = 2;

class WaitedSearch : public SearchJob {
 public:
  explicit WaitedSearch(SearchRequest request) : SearchJob(*availableSimd().front(), std::move(request), kThreads) {}

  void finish() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

/** One of each kind of source of each format, of the same rows; also an index of each type for each metric it takes. */
struct World {
  struct Rows {
    std::shared_ptr<VectorFile> file;
    std::shared_ptr<Block> block;
  };
  std::vector<Rows> formats;
  /** By format and metric. */
  std::vector<std::shared_ptr<VectorIndex>> indexes[kFormats][kEveryMetric];
  ThreadPool pool{kThreads, 4};

  World() {
    const std::string path = scratchFile("world");
    for (uint32_t index = 0; index < kFormats; index++) {
      const auto format = static_cast<VectorFormat>(index);
      const bool isSparse = format == VectorFormat::kSparse;
      auto file = writeSome(path + std::to_string(index), format, kDim, kRows, 3);
      auto block = std::make_shared<Block>(format, isSparse ? 0 : kDim, kRows + 5);
      if (isSparse) {
        block->append(file->sparseRows());
      } else {
        block->append(file->rows().data, kRows);
      }
      formats.push_back({std::move(file), std::move(block)});
    }
    for (const IndexPlan& plan : smallPlans()) buildAll(plan, path);
  }

  void buildAll(IndexPlan plan, const std::string& path) {
    plan.path = path + "-index";
    for (const VectorFormat format : formatsOf(plan.type)) {
      for (const Metric metric : metricsOf(plan.type)) {
        const auto& vectors = formats[static_cast<uint32_t>(format)].file;
        plan.metric = metric;
        buildIndex(plan, vectors);
        auto& built = indexes[static_cast<uint32_t>(format)][static_cast<uint32_t>(metric)];
        built.push_back(mishards::openIndex(plan.path, vectors));
      }
    }
  }
};

World& world() {
  static World made;
  return made;
}

SearchSource takeSource(Input& input, VectorFormat format, Metric metric, Bytes& bits) {
  SearchSource source{};
  uint32_t rowCount = kRows;
  const World::Rows& rows = world().formats[static_cast<uint32_t>(format)];
  const uint32_t kind = input.between(0, 2);
  if (kind == 0) source.file = rows.file;
  if (kind == 1) {
    source.block = rows.block;
    rowCount = input.between(0, kRows);
  }
  if (kind == 2) {
    const auto& indexes = world().indexes[static_cast<uint32_t>(format)][static_cast<uint32_t>(metric)];
    source.index = indexes[input.between(0, static_cast<uint32_t>(indexes.size()) - 1)];
  }
  source.filter.rowCount = rowCount;
  if (input.take<uint8_t>() % 2 != 0) {
    bits.resize((rowCount + 7) / 8);
    for (uint8_t& byte : bits) byte = input.take<uint8_t>();
    source.filter.bits = bits.data();
  }
  return source;
}

/** The best hits by scoring every row; of indexes only what they gave can be judged. */
void checkAnswer(const SearchRequest& request, const VectorFile& vectors, uint32_t query, const std::vector<Hit>& hits) {
  checkHits(hits, request.k, request.bounds);
  const RowScorer score(*availableSimd().front(), request.metric, vectors, request.queries.at(query));
  const bool isSparse = vectors.rows().format == VectorFormat::kSparse;
  bool isExact = true;
  TopK best(request.k);
  for (uint32_t source = 0; source < request.sources.size(); source++) {
    const SearchSource& data = request.sources[source];
    isExact = isExact && !data.index;
    for (uint32_t row = 0; row < data.filter.rowCount; row++) {
      const float value = score(row);
      // Sparse rows that share nothing with the query are no hits.
      if (isSparse && value == 0) continue;
      if (data.filter.allows(row) && request.bounds.keep(value)) best.offer({value, source, row});
    }
  }
  best.sort();
  // Scores of sparse indexes may lie on the other side of a bound, by what rounding makes of them.
  FUZZ_EXPECT(hits.size() <= best.hits().size() || (isSparse && !isExact));
  for (size_t i = 0; i < hits.size(); i++) {
    const SearchSource& data = request.sources[hits[i].source];
    FUZZ_EXPECT(hits[i].row < data.filter.rowCount && data.filter.allows(hits[i].row));
    FUZZ_EXPECT(score.agrees(hits[i].row, hits[i].score));
  }
  if (!isExact) return;
  FUZZ_EXPECT(hits.size() == best.hits().size());
  for (size_t i = 0; i < hits.size(); i++) FUZZ_EXPECT(hits[i].score == best.hits()[i].score);
}

Metric takeMetric(Input& input, VectorFormat format) {
  if (format == VectorFormat::kBinary) return input.between(0, 1) == 0 ? Metric::kHamming : Metric::kJaccard;
  if (format == VectorFormat::kSparse) return input.between(0, 1) == 0 ? Metric::kInnerProduct : Metric::kBm25;
  return static_cast<Metric>(input.between(0, kMetricCount - 1));
}

ScoreBounds takeBounds(Input& input) {
  ScoreBounds bounds;
  const uint8_t which = input.take<uint8_t>();
  if (which % 4 == 1) {
    bounds.above = input.take<float>();
    bounds.hasAbove = true;
  }
  if (which % 3 == 1) bounds.upTo = input.take<float>();
  return bounds;
}

Queries takeQueries(Input& input, VectorFormat format, uint32_t count) {
  const uint8_t seed = input.take<uint8_t>();
  if (format == VectorFormat::kSparse) {
    SparseCorpus rows = someSparseRows(count, seed);
    for (float& value : rows.values) {
      const float taken = input.take<float>();
      if (std::isfinite(taken) && taken != 0) value = taken;
    }
    return {rows.offsets.data(), rows.indices.data(), rows.values.data(), count};
  }
  Bytes queries = someRows(format, kDim, count, seed);
  for (uint8_t& byte : queries) byte = static_cast<uint8_t>(byte + input.take<uint8_t>());
  return {format, kDim, queries.data(), count};
}

/** A search with any parameters in their ranges, any filters, bounds and queries. */
void run(const uint8_t* bytes, size_t size) {
  Input input(bytes, size);
  SearchRequest request{};
  const auto format = static_cast<VectorFormat>(input.take<uint8_t>() % kFormats);
  const VectorFile& vectors = *world().formats[static_cast<uint32_t>(format)].file;
  request.metric = takeMetric(input, format);
  request.dim = vectors.rows().dim;
  request.bm25 = kBm25;
  request.k = input.between(1, input.take<uint8_t>() < 200 ? 20 : 16384);
  request.params.ef = input.between(1, input.take<uint8_t>() < 200 ? 200 : 32768);
  request.params.nprobe = input.between(1, input.take<uint8_t>() < 200 ? 8 : 65536);
  request.params.dropRatio = input.between(0, 3) / 4.0;
  request.params.refineK = static_cast<float>(input.between(1, 4));
  request.params.reorderK = input.between(0, 40);
  request.params.queryBits = input.between(0, 8);
  request.params.searchList = request.params.ef;
  request.params.beamWidth = 1 + request.params.queryBits;
  request.queryCount = input.between(0, kQueriesMax);
  request.bounds = takeBounds(input);
  Bytes bits[kSourcesMax];
  const uint32_t sources = input.between(0, kSourcesMax);
  for (uint32_t i = 0; i < sources; i++) request.sources.push_back(takeSource(input, format, request.metric, bits[i]));
  request.queries = takeQueries(input, format, request.queryCount);
  const auto job = std::make_shared<WaitedSearch>(request);
  if (!job->isEmpty()) {
    world().pool.submit(job, true);
    job->wait();
    FUZZ_EXPECT(job->outcome() == Code::kOk);
  }
  for (uint32_t query = 0; query < request.queryCount; query++) {
    checkAnswer(request, vectors, query, job->results()[query].hits());
  }
}

void seeds(const AddSeed& add) {
  for (uint8_t seed = 1; seed <= 48; seed++) {
    Bytes bytes;
    for (const float value : someValues(60, seed)) bytes.push_back(static_cast<uint8_t>(128 + value * 255));
    bytes[0] = seed;
    add(bytes);
  }
}

}  // namespace

const Target kSearchTarget{"search", run, seeds, false};

}  // namespace fuzz
