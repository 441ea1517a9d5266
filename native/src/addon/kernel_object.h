#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "addon/completions.h"
#include "block.h"
#include "build_job.h"
#include "search_job.h"
#include "thread_pool.h"
#include "vector_file.h"
#include "vector_index.h"

namespace mishards {

/** A pool of threads, the instruction set it uses, and the way back to JavaScript. */
struct KernelObject {
  KernelObject(Napi::Env env, const Simd& set, uint32_t threads, uint32_t queueMax)
      : simd(set), threadCount(threads), completions(env), pool(std::in_place, threads, queueMax) {}

  /** Stops and joins the threads; every job has ended when it returns. */
  void close() {
    pool.reset();
    completions.close();
  }

  const Simd& simd;
  const uint32_t threadCount;
  Completions completions;
  std::optional<ThreadPool> pool;
  /** Those that can be cancelled, by the number JavaScript has: an object with a finalizer each would outlive young collections. */
  std::unordered_map<uint64_t, std::weak_ptr<Job>> jobs;
  uint64_t lastJob = 0;
};

/** What JavaScript holds of a file, an index or a block; empty once released. */
struct DataHandle {
  std::shared_ptr<VectorFile> file;
  std::shared_ptr<VectorIndex> index;
  std::shared_ptr<Block> block;
};

/** Where the elements of a typed array begin. */
uint8_t* bytesOf(const Napi::Value& array);
/** The three arrays of `SparseValues` of `src/kernel/kernel.ts`. */
SparseRows sparseOf(const Napi::Value& values);
Napi::Value errorValue(Napi::Env env, Code code, const std::string& message);

/** A promise under way, with the JavaScript values that must live as long. JavaScript's thread only. */
class PendingCall {
 public:
  PendingCall(Napi::Env env, std::shared_ptr<KernelObject> kernel)
      : kernel_(std::move(kernel)), deferred_(Napi::Promise::Deferred::New(env)) {
    kernel_->completions.expect(env);
  }

  void keep(Napi::Object value) { kept_.push_back(Napi::Persistent(value)); }
  Napi::Promise promise() const { return deferred_.Promise(); }
  const std::shared_ptr<KernelObject>& kernel() const { return kernel_; }

  /** Of builds only. */
  Napi::FunctionReference onProgress;

  /** A number by which the job can be cancelled until the promise is settled. */
  uint64_t numberOf(const std::shared_ptr<Job>& job) {
    jobNumber_ = ++kernel_->lastJob;
    kernel_->jobs.emplace(jobNumber_, job);
    return jobNumber_;
  }

  void settle(Napi::Env env, const Job& job, const std::function<Napi::Value(Napi::Env)>& value) {
    kernel_->completions.delivered(env);
    kernel_->jobs.erase(jobNumber_);
    if (job.outcome() == Code::kOk) {
      deferred_.Resolve(value(env));
    } else {
      deferred_.Reject(errorValue(env, job.outcome(), job.message()));
    }
  }

 private:
  std::shared_ptr<KernelObject> kernel_;
  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> kept_;
  uint64_t jobNumber_ = 0;
};

/** Submits `job`; throws `Failure` after undoing what `call` expected. */
void submitCall(Napi::Env env, PendingCall& call, const std::shared_ptr<Job>& job, bool bounded);

/** Reads the search request of `src/kernel/native-binding.ts`. The bitmaps stay JavaScript's: `call` keeps them alive. */
SearchRequest readSearchRequest(Napi::Object request, PendingCall& call);
Napi::Value searchResults(Napi::Env env, const SearchJob& job);

}  // namespace mishards
