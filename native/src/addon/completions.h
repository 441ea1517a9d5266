#pragma once

#include <napi.h>

#include <functional>
#include <mutex>

namespace mishards {

/** Carries results from the pool's threads to JavaScript's. Keeps the process alive only while results are expected. */
class Completions {
 public:
  using Callback = std::function<void(Napi::Env)>;

  explicit Completions(Napi::Env env);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  /** JavaScript's thread: one more result will come. */
  void expect(Napi::Env env);
  /** JavaScript's thread: an expected result was delivered. */
  void delivered(Napi::Env env);
  /** Any thread: runs `callback` on JavaScript's thread, or drops it when the environment is closing. */
  void post(Callback callback);
  /** JavaScript's thread: nothing is delivered after it. */
  void close();

 private:
  static void call(Napi::Env env, Napi::Function function, std::nullptr_t* context, Callback* callback);
  using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, Callback, &Completions::call>;

  Channel channel_;
  uint32_t expected_ = 0;
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace mishards
