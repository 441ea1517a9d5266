#include "addon/completions.h"

namespace mishards {

Completions::Completions(Napi::Env env) : channel_(Channel::New(env, "mishards-kernel", 0, 1)) {
  channel_.Unref(env);
}

void Completions::expect(Napi::Env env) {
  if (expected_++ == 0) channel_.Ref(env);
}

void Completions::delivered(Napi::Env env) {
  if (--expected_ == 0) channel_.Unref(env);
}

void Completions::post(Callback callback) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // What the callback holds belongs to JavaScript's thread; when that is going away, leaving it is the only safe choice.
  auto* owned = new Callback(std::move(callback));
  if (!closed_) channel_.NonBlockingCall(owned);
}

void Completions::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  closed_ = true;
  channel_.Release();
}

void Completions::call(Napi::Env env, Napi::Function, std::nullptr_t*, Callback* callback) {
  if (static_cast<napi_env>(env) == nullptr) return;
  (*callback)(env);
  delete callback;
}

}  // namespace mishards
