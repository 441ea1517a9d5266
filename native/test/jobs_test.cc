#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "build_job.h"
#include "check.h"
#include "cpu.h"
#include "random.h"
#include "search_job.h"

using namespace mishards;

namespace {

/** Lets a check wait for the ends of jobs. */
class Finished {
 public:
  void add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.notify_all();
  }
  void waitFor(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  size_t count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
};

class CountingJob : public Job {
 public:
  CountingJob(Finished& finished, uint32_t slices, uint32_t parallel, uint32_t phases)
      : finished_(finished), slices_(slices), parallel_(parallel), phasesLeft_(phases) {
    setPhase(slices, parallel);
  }
  void run(uint32_t) override {
    const uint32_t now = ++running_;
    if (now > parallel_) tooMany_ = true;
    runs_++;
    std::this_thread::yield();
    running_--;
  }
  bool nextPhase() override {
    if (--phasesLeft_ == 0) return false;
    setPhase(slices_, parallel_);
    return true;
  }
  void finish() override { finished_.add(); }

  uint32_t runs() const { return runs_; }
  bool tooMany() const { return tooMany_; }

 private:
  Finished& finished_;
  const uint32_t slices_;
  const uint32_t parallel_;
  uint32_t phasesLeft_;
  std::atomic<uint32_t> running_{0};
  std::atomic<uint32_t> runs_{0};
  std::atomic<bool> tooMany_{false};
};

class CheckedBuild : public BuildJob {
 public:
  CheckedBuild(Finished& finished, std::shared_ptr<VectorFile> vectors, const std::string& path, uint32_t threads)
      : BuildJob(*availableSimd().front(), std::move(vectors), {"HNSW", Metric::kCosine, {{"M", 8}, {"efConstruction", 60}}, 3, path}, threads),
        finished_(finished) {}
  void finish() override { finished_.add(); }

 protected:
  void progress(double) override {}

 private:
  Finished& finished_;
};

class CheckedSearch : public SearchJob {
 public:
  CheckedSearch(Finished& finished, SearchRequest request, uint32_t threads)
      : SearchJob(*availableSimd().front(), std::move(request), threads), finished_(finished) {}
  void finish() override { finished_.add(); }

 private:
  Finished& finished_;
};

std::shared_ptr<VectorFile> writtenVectors(uint32_t rowCount, uint32_t dim) {
  std::vector<float> values(size_t{rowCount} * dim);
  uint64_t state = checkSeed;
  for (float& value : values) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5);
  const std::string path = scratchPath("job-vectors");
  VectorFile::write(path, {values.data(), rowCount, dim});
  return VectorFile::open(path);
}

}  // namespace

CHECK_CASE(everySliceOnce, "every slice of every phase runs once, never more at a time than allowed") {
  Finished finished;
  std::vector<std::shared_ptr<CountingJob>> jobs;
  ThreadPool pool(4, 1000);
  for (uint32_t index = 0; index < 200; index++) {
    jobs.push_back(std::make_shared<CountingJob>(finished, 1 + index % 7, 1 + index % 3, 1 + index % 4));
    jobs.back()->priority = static_cast<int32_t>(index % 5);
    pool.submit(jobs.back(), true);
  }
  finished.waitFor(jobs.size());
  for (uint32_t index = 0; index < 200; index++) {
    EXPECT(jobs[index]->runs() == (1 + index % 7) * (1 + index % 4));
    EXPECT(!jobs[index]->tooMany());
  }
}

CHECK_CASE(stopsAndDeadlines, "stops and deadlines from several threads end each job exactly once") {
  Finished finished;
  const size_t count = 300;
  {
    ThreadPool pool(3, 1000);
    std::vector<std::shared_ptr<CountingJob>> jobs;
    for (uint32_t index = 0; index < count; index++) {
      jobs.push_back(std::make_shared<CountingJob>(finished, 50, 3, 2));
      if (index % 3 == 0) {
        jobs.back()->hasDeadline = true;
        jobs.back()->deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(200 + 20 * index);
      }
      try {
        pool.submit(jobs.back(), true);
      } catch (const Failure& failure) {
        EXPECT(failure.code() == Code::kDeadlineExceeded);
        finished.add();
      }
    }
    std::vector<std::thread> stoppers;
    for (uint32_t thread = 0; thread < 3; thread++) {
      stoppers.emplace_back([&, thread] {
        for (size_t index = thread; index < count; index += 2) pool.stop(jobs[index], Code::kCancelled, "stopped");
      });
    }
    for (std::thread& stopper : stoppers) stopper.join();
  }
  EXPECT(finished.count() == count);
}

CHECK_CASE(buildWhileSearching, "builds on many threads while searches of the same vectors run") {
  const auto vectors = writtenVectors(3000, 24);
  Finished finished;
  ThreadPool pool(4, 1000);
  const std::string path = scratchPath("job-index");
  const auto build = std::make_shared<CheckedBuild>(finished, vectors, path, 4);
  pool.submit(build, true);
  std::vector<std::shared_ptr<CheckedSearch>> searches;
  for (uint32_t round = 0; round < 20; round++) {
    SearchRequest request{};
    SearchSource source{vectors, nullptr, nullptr, {}};
    source.filter.rowCount = 3000;
    request.sources = {source, source};
    request.metric = Metric::kCosine;
    request.dim = 24;
    request.queries = Queries(VectorFormat::kFloat32, 24, vectors->rows().row(round), 2);
    request.queryCount = 2;
    request.k = 3;
    request.params.ef = 64;
    searches.push_back(std::make_shared<CheckedSearch>(finished, std::move(request), 4));
    pool.submit(searches.back(), true);
  }
  finished.waitFor(21);
  EXPECT(build->outcome() == Code::kOk);
  for (uint32_t round = 0; round < 20; round++) {
    const std::vector<Hit>& hits = searches[round]->results()[1].hits();
    EXPECT(hits.size() == 3 && hits[0].row == round + 1 && hits[0].source == 0 && hits[1].source == 1);
  }
  EXPECT(openIndex(path, vectors)->rows().rowCount == 3000);
}
