// The bridge, as thin as it can be: arguments were validated in src/kernel before they come here.
#include <napi.h>

#include <cmath>

#include "addon/kernel_object.h"
#include "cpu.h"
#include "crc32c.h"
#include "failure.h"

namespace mishards {
namespace {

using KernelHandle = Napi::External<std::shared_ptr<KernelObject>>;
using Handle = Napi::External<DataHandle>;

std::shared_ptr<KernelObject>& kernelOf(const Napi::CallbackInfo& info) {
  return *info[0].As<KernelHandle>().Data();
}

DataHandle& dataOf(const Napi::Value& value) {
  return *value.As<Handle>().Data();
}

Napi::Value handleOf(Napi::Env env, DataHandle data) {
  return Handle::New(env, new DataHandle(std::move(data)), [](Napi::Env, DataHandle* owned) { delete owned; });
}

/** As in `src/kernel/native-binding.ts`. */
constexpr uint32_t kContract = 5;

VectorFormat formatOf(const Napi::Value& value) {
  return static_cast<VectorFormat>(value.As<Napi::Number>().Uint32Value());
}

/** Runs a bridge function; nothing that C++ throws leaves it. */
template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return kFunction(info);
  } catch (...) {
    const Failure failure = currentFailure();
    Napi::Error(info.Env(), errorValue(info.Env(), failure.code(), failure.message())).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
}

/** A job whose end settles a promise. `Base` runs, `deliver` makes the value. */
template <typename Base>
class CallJob : public Base, public std::enable_shared_from_this<CallJob<Base>> {
 public:
  template <typename... Arguments>
  explicit CallJob(std::unique_ptr<PendingCall> call, Arguments&&... arguments)
      : Base(std::forward<Arguments>(arguments)...), call_(std::move(call)) {}

  void finish() override {
    call_->kernel()->completions.post([self = this->shared_from_this()](Napi::Env env) { self->deliver(env); });
  }
  PendingCall& call() { return *call_; }
  /** JavaScript's thread: whether the promise is still open. */
  bool isPending() const { return call_ != nullptr; }

 protected:
  virtual Napi::Value value(Napi::Env env) = 0;

 private:
  void deliver(Napi::Env env) {
    const std::unique_ptr<PendingCall> call = std::move(call_);
    call->settle(env, *this, [this](Napi::Env scope) { return value(scope); });
  }

  std::unique_ptr<PendingCall> call_;
};

/** One function on a thread of the pool. */
class FunctionJob : public Job {
 public:
  explicit FunctionJob(std::function<void()> function) : function_(std::move(function)) { setPhase(1, 1); }
  void run(uint32_t) override { function_(); }

 private:
  std::function<void()> function_;
};

template <typename Result>
class ResultJob : public CallJob<FunctionJob> {
 public:
  ResultJob(std::unique_ptr<PendingCall> call, std::function<Result()> compute,
            std::function<Napi::Value(Napi::Env, Result&)> convert)
      : CallJob(std::move(call), [this, compute = std::move(compute)] { result_ = compute(); }),
        convert_(std::move(convert)) {}

 protected:
  Napi::Value value(Napi::Env env) override { return convert_(env, result_); }

 private:
  Result result_{};
  std::function<Napi::Value(Napi::Env, Result&)> convert_;
};

template <typename Result>
Napi::Value callOnPool(Napi::Env env, std::unique_ptr<PendingCall> call, std::function<Result()> compute,
                       std::function<Napi::Value(Napi::Env, Result&)> convert) {
  const Napi::Promise promise = call->promise();
  const auto job = std::make_shared<ResultJob<Result>>(std::move(call), std::move(compute), std::move(convert));
  submitCall(env, job->call(), job, false);
  return promise;
}

Napi::Value createKernel(const Napi::CallbackInfo& info) {
  const Simd* simd = findSimd(info[2].As<Napi::String>());
  if (simd == nullptr) return info.Env().Null();
  const uint32_t threads = info[0].As<Napi::Number>().Uint32Value();
  const uint32_t queueMax = info[1].As<Napi::Number>().Uint32Value();
  auto kernel = std::make_shared<KernelObject>(info.Env(), *simd, threads, queueMax);
  // When the environment goes away with work under way, threads must end before it does.
  info.Env().AddCleanupHook(
      [](std::weak_ptr<KernelObject>* weak) {
        if (const auto live = weak->lock()) live->close();
        delete weak;
      },
      new std::weak_ptr<KernelObject>(kernel));
  return KernelHandle::New(info.Env(), new std::shared_ptr<KernelObject>(std::move(kernel)),
                           [](Napi::Env, std::shared_ptr<KernelObject>* owned) {
                             (*owned)->close();
                             delete owned;
                           });
}

Napi::Value stopKernel(const Napi::CallbackInfo& info) {
  const auto& kernel = kernelOf(info);
  if (kernel->pool) kernel->pool->stopAll(Code::kCancelled, "the kernel was disposed before the work was done");
  return info.Env().Undefined();
}

Napi::Value closeKernel(const Napi::CallbackInfo& info) {
  kernelOf(info)->close();
  return info.Env().Undefined();
}

Napi::Value instructionSet(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), kernelOf(info)->simd.name);
}

Napi::Value instructionSets(const Napi::CallbackInfo& info) {
  const Napi::Array names = Napi::Array::New(info.Env());
  for (const Simd* simd : availableSimd()) names.Set(names.Length(), simd->name);
  return names;
}

Napi::Value writeVectors(const Napi::CallbackInfo& info) {
  const std::string path = info[1].As<Napi::String>();
  const VectorFormat format = formatOf(info[3]);
  const bool isSparse = format == VectorFormat::kSparse;
  const SparseRows sparse = isSparse ? sparseOf(info[2]) : SparseRows{};
  const VectorRows rows{isSparse ? nullptr : bytesOf(info[2]), info[5].As<Napi::Number>().Uint32Value(),
                        info[4].As<Napi::Number>().Uint32Value(), format};
  auto call = std::make_unique<PendingCall>(info.Env(), kernelOf(info));
  call->keep(info[2].As<Napi::Object>());
  return callOnPool<size_t>(
      info.Env(), std::move(call),
      [path, rows, sparse, isSparse] { return isSparse ? VectorFile::write(path, sparse) : VectorFile::write(path, rows); },
      [](Napi::Env env, size_t& bytes) { return Napi::Number::New(env, static_cast<double>(bytes)); });
}

Napi::Object describe(Napi::Env env, DataHandle data, const VectorRows& rows, size_t bytes) {
  const Napi::Object value = Napi::Object::New(env);
  value.Set("handle", handleOf(env, std::move(data)));
  value.Set("rowCount", Napi::Number::New(env, rows.rowCount));
  value.Set("format", Napi::Number::New(env, static_cast<uint32_t>(rows.format)));
  value.Set("dim", Napi::Number::New(env, rows.dim));
  value.Set("sizeBytes", Napi::Number::New(env, static_cast<double>(bytes)));
  return value;
}

Napi::Value openVectors(const Napi::CallbackInfo& info) {
  const std::string path = info[1].As<Napi::String>();
  using Result = std::shared_ptr<VectorFile>;
  return callOnPool<Result>(
      info.Env(), std::make_unique<PendingCall>(info.Env(), kernelOf(info)), [path] { return VectorFile::open(path); },
      [](Napi::Env env, Result& file) { return describe(env, {file, nullptr, nullptr}, file->rows(), file->bytes()); });
}

Napi::Value openIndex(const Napi::CallbackInfo& info) {
  const std::string path = info[1].As<Napi::String>();
  const std::shared_ptr<VectorFile> vectors = dataOf(info[2]).file;
  using Result = std::shared_ptr<VectorIndex>;
  return callOnPool<Result>(
      info.Env(), std::make_unique<PendingCall>(info.Env(), kernelOf(info)),
      [path, vectors] { return mishards::openIndex(path, vectors); },
      [](Napi::Env env, Result& index) {
        const Napi::Object value = describe(env, {nullptr, index, nullptr}, index->rows(), index->bytes());
        value.Set("type", index->type());
        value.Set("metric", Napi::Number::New(env, static_cast<uint32_t>(index->metric())));
        return value;
      });
}

Napi::Value createBlock(const Napi::CallbackInfo& info) {
  const uint32_t dim = info[1].As<Napi::Number>().Uint32Value();
  const uint32_t capacity = info[2].As<Napi::Number>().Uint32Value();
  return handleOf(info.Env(), {nullptr, nullptr, std::make_shared<Block>(formatOf(info[0]), dim, capacity)});
}

Napi::Value appendRows(const Napi::CallbackInfo& info) {
  Block& block = *dataOf(info[0]).block;
  if (block.format() == VectorFormat::kSparse) {
    block.append(sparseOf(info[1]));
  } else {
    block.append(bytesOf(info[1]), info[2].As<Napi::Number>().Uint32Value());
  }
  return Napi::Number::New(info.Env(), block.rowCount());
}

Napi::Value readRows(const Napi::CallbackInfo& info) {
  const DataHandle& data = dataOf(info[0]);
  const VectorRows rows = data.block ? data.block->firstRows(data.block->rowCount()) : data.file->rows();
  const auto wanted = info[1].As<Napi::Uint32Array>();
  uint8_t* out = bytesOf(info[2]);
  const size_t rowBytes = rows.rowBytes();
  for (size_t index = 0; index < wanted.ElementLength(); index++) {
    std::copy_n(rows.at(wanted.Data()[index]), rowBytes, out + index * rowBytes);
  }
  return info.Env().Undefined();
}

Napi::Value readSparseRows(const Napi::CallbackInfo& info) {
  const DataHandle& data = dataOf(info[0]);
  const SparseRows rows = data.block ? data.block->firstSparseRows(data.block->rowCount()) : data.file->sparseRows();
  const auto wanted = info[1].As<Napi::Uint32Array>();
  auto offsets = Napi::Uint32Array::New(info.Env(), wanted.ElementLength() + 1);
  uint32_t count = 0;
  for (size_t index = 0; index < wanted.ElementLength(); index++) {
    offsets.Data()[index] = count;
    count += rows.row(wanted.Data()[index]).count;
  }
  offsets.Data()[wanted.ElementLength()] = count;
  auto indices = Napi::Uint32Array::New(info.Env(), count);
  auto values = Napi::Float32Array::New(info.Env(), count);
  for (size_t index = 0; index < wanted.ElementLength(); index++) {
    const SparseRow row = rows.row(wanted.Data()[index]);
    std::copy_n(row.indices, row.count, indices.Data() + offsets.Data()[index]);
    std::copy_n(row.values, row.count, values.Data() + offsets.Data()[index]);
  }
  const Napi::Object result = Napi::Object::New(info.Env());
  result.Set("offsets", offsets);
  result.Set("indices", indices);
  result.Set("values", values);
  return result;
}

Napi::Value release(const Napi::CallbackInfo& info) {
  dataOf(info[0]) = DataHandle{};
  return info.Env().Undefined();
}

class BuildCall : public CallJob<BuildJob> {
 public:
  using CallJob::CallJob;

 protected:
  void progress(double fraction) override {
    const std::weak_ptr<CallJob<BuildJob>> weak = weak_from_this();
    call().kernel()->completions.post([weak, fraction](Napi::Env env) {
      const auto job = std::static_pointer_cast<BuildCall>(weak.lock());
      // Threads that end slices at about the same time post in any order.
      if (!job || !job->isPending() || fraction <= job->reported_) return;
      job->reported_ = fraction;
      job->call().onProgress.Call({Napi::Number::New(env, fraction)});
    });
  }
  Napi::Value value(Napi::Env env) override {
    const Napi::Object report = Napi::Object::New(env);
    report.Set("sizeBytes", Napi::Number::New(env, static_cast<double>(fileBytes())));
    report.Set("peakBytes", Napi::Number::New(env, static_cast<double>(peakBytes())));
    return report;
  }

 private:
  /** JavaScript's thread. */
  double reported_ = 0;
};

class SearchCall : public CallJob<SearchJob> {
 public:
  using CallJob::CallJob;

 protected:
  Napi::Value value(Napi::Env env) override { return searchResults(env, *this); }
};

/** `{ promise, job }` of a submitted job. */
Napi::Value startedCall(Napi::Env env, Napi::Promise promise, uint64_t number) {
  const Napi::Object value = Napi::Object::New(env);
  value.Set("promise", promise);
  value.Set("job", Napi::Number::New(env, static_cast<double>(number)));
  return value;
}

Napi::Value buildIndex(const Napi::CallbackInfo& info) {
  const auto options = info[1].As<Napi::Object>();
  const auto number = [&](const char* key) { return options.Get(key).As<Napi::Number>(); };
  IndexPlan plan{options.Get("type").As<Napi::String>(),
                 static_cast<Metric>(number("metric").Uint32Value()),
                 {},
                 static_cast<uint64_t>(number("seed").Int64Value()),
                 options.Get("path").As<Napi::String>()};
  const auto params = options.Get("params").As<Napi::Object>();
  const Napi::Array names = params.GetPropertyNames();
  for (uint32_t index = 0; index < names.Length(); index++) {
    const Napi::Value name = names.Get(index);
    plan.params[name.As<Napi::String>()] = params.Get(name).As<Napi::Number>().DoubleValue();
  }
  const auto& kernel = kernelOf(info);
  auto call = std::make_unique<PendingCall>(info.Env(), kernel);
  call->onProgress = Napi::Persistent(options.Get("onProgress").As<Napi::Function>());
  const Napi::Promise promise = call->promise();
  const auto job = std::make_shared<BuildCall>(std::move(call), kernel->simd, dataOf(options.Get("vectors")).file,
                                               std::move(plan), number("threads").Uint32Value());
  submitCall(info.Env(), job->call(), job, true);
  return startedCall(info.Env(), promise, job->call().numberOf(job));
}

Napi::Value search(const Napi::CallbackInfo& info) {
  const auto options = info[1].As<Napi::Object>();
  const auto& kernel = kernelOf(info);
  auto call = std::make_unique<PendingCall>(info.Env(), kernel);
  const Napi::Promise promise = call->promise();
  SearchRequest request = readSearchRequest(options, *call);
  const auto job = std::make_shared<SearchCall>(std::move(call), kernel->simd, std::move(request), kernel->threadCount);
  job->priority = options.Get("priority").As<Napi::Number>().Int32Value();
  const Napi::Value timeoutMs = options.Get("timeoutMs");
  if (timeoutMs.IsNumber()) {
    const auto wait = std::chrono::duration<double, std::milli>(timeoutMs.As<Napi::Number>().DoubleValue());
    job->hasDeadline = true;
    job->deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(wait);
  }
  if (job->isEmpty()) {
    job->finish();
  } else {
    submitCall(info.Env(), job->call(), job, true);
  }
  return startedCall(info.Env(), promise, job->call().numberOf(job));
}

Napi::Value cancel(const Napi::CallbackInfo& info) {
  const auto& kernel = kernelOf(info);
  const auto found = kernel->jobs.find(static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()));
  const auto job = found == kernel->jobs.end() ? nullptr : found->second.lock();
  if (job && kernel->pool) kernel->pool->stop(job, Code::kCancelled, "the request was cancelled");
  return info.Env().Undefined();
}

Napi::Value checksum(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Uint8Array>();
  const bool portable = info[1].As<Napi::Boolean>();
  const uint32_t crc = portable ? crc32cPortable(bytes.Data(), bytes.ByteLength()) : crc32c(bytes.Data(), bytes.ByteLength());
  return Napi::Number::New(info.Env(), crc);
}

template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
void expose(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<kFunction>>(exports.Env(), name));
}

}  // namespace
}  // namespace mishards

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  using namespace mishards;
  exports.Set("contract", Napi::Number::New(env, kContract));
  expose<createKernel>(exports, "createKernel");
  expose<stopKernel>(exports, "stopKernel");
  expose<closeKernel>(exports, "closeKernel");
  expose<instructionSet>(exports, "instructionSet");
  expose<instructionSets>(exports, "instructionSets");
  expose<writeVectors>(exports, "writeVectors");
  expose<openVectors>(exports, "openVectors");
  expose<openIndex>(exports, "openIndex");
  expose<createBlock>(exports, "createBlock");
  expose<appendRows>(exports, "appendRows");
  expose<readRows>(exports, "readRows");
  expose<readSparseRows>(exports, "readSparseRows");
  expose<release>(exports, "release");
  expose<buildIndex>(exports, "buildIndex");
  expose<search>(exports, "search");
  expose<cancel>(exports, "cancel");
  expose<checksum>(exports, "checksum");
  return exports;
}

NODE_API_MODULE(mishards_kernel, initialise)
