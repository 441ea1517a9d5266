#include "addon/kernel_object.h"

namespace mishards {

uint8_t* bytesOf(const Napi::Value& array) {
  const auto typed = array.As<Napi::TypedArray>();
  return static_cast<uint8_t*>(typed.ArrayBuffer().Data()) + typed.ByteOffset();
}

SparseRows sparseOf(const Napi::Value& values) {
  const auto object = values.As<Napi::Object>();
  const auto offsets = object.Get("offsets").As<Napi::Uint32Array>();
  const auto at = [&](const char* key) { return bytesOf(object.Get(key)); };
  return {static_cast<uint32_t>(offsets.ElementLength() - 1), offsets.Data(),
          reinterpret_cast<const uint32_t*>(at("indices")), reinterpret_cast<const float*>(at("values")), nullptr};
}

Napi::Value errorValue(Napi::Env env, Code code, const std::string& message) {
  const Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", codeName(code));
  return error.Value();
}

void submitCall(Napi::Env env, PendingCall& call, const std::shared_ptr<Job>& job, bool bounded) {
  try {
    if (!call.kernel()->pool) throw Failure(Code::kServiceNotReady, "the kernel was disposed");
    call.kernel()->pool->submit(job, bounded);
  } catch (...) {
    call.kernel()->completions.delivered(env);
    throw;
  }
}

}  // namespace mishards
