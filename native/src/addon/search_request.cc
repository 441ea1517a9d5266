#include <algorithm>

#include "addon/kernel_object.h"

namespace mishards {
namespace {

uint32_t uint32Of(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().Uint32Value();
}

SearchSource readSource(Napi::Object value, PendingCall& call) {
  const DataHandle& handle = *value.Get("handle").As<Napi::External<DataHandle>>().Data();
  SearchSource source{handle.file, handle.index, handle.block, {}};
  source.filter.rowCount = uint32Of(value, "rowCount");
  const Napi::Value allowed = value.Get("allowed");
  if (allowed.IsTypedArray()) {
    const auto bitmap = allowed.As<Napi::Uint8Array>();
    source.filter.bits = bitmap.Data();
    call.keep(bitmap);
  }
  return source;
}

ScoreBounds readBounds(Napi::Object request) {
  ScoreBounds bounds;
  const Napi::Value above = request.Get("scoreAbove");
  const Napi::Value upTo = request.Get("scoreUpTo");
  bounds.hasAbove = above.IsNumber();
  if (above.IsNumber()) bounds.above = above.As<Napi::Number>().FloatValue();
  if (upTo.IsNumber()) bounds.upTo = upTo.As<Napi::Number>().FloatValue();
  return bounds;
}

SearchParams readParams(Napi::Object params) {
  return {.ef = uint32Of(params, "ef"),
          .nprobe = uint32Of(params, "nprobe"),
          .dropRatio = params.Get("drop_ratio_search").As<Napi::Number>().DoubleValue(),
          .refineK = params.Get("refine_k").As<Napi::Number>().FloatValue(),
          .reorderK = uint32Of(params, "reorder_k"),
          .queryBits = uint32Of(params, "rbq_query_bits"),
          .searchList = uint32Of(params, "search_list"),
          .beamWidth = uint32Of(params, "beam_width_ratio")};
}

Queries readQueries(VectorFormat format, uint32_t dim, const Napi::Value& values, uint32_t count) {
  if (format != VectorFormat::kSparse) return Queries(format, dim, bytesOf(values), count);
  const SparseRows rows = sparseOf(values);
  return Queries(rows.offsets, rows.indices, rows.values, count);
}

Bm25 readBm25(const Napi::Value& value) {
  if (!value.IsObject()) return {};
  const auto object = value.As<Napi::Object>();
  const auto number = [&](const char* key) { return object.Get(key).As<Napi::Number>().DoubleValue(); };
  return {number("k1"), number("b"), number("averageLength")};
}

}  // namespace

SearchRequest readSearchRequest(Napi::Object request, PendingCall& call) {
  SearchRequest result{};
  const auto sources = request.Get("sources").As<Napi::Array>();
  for (uint32_t index = 0; index < sources.Length(); index++) {
    const Napi::HandleScope scope(request.Env());
    result.sources.push_back(readSource(sources.Get(index).As<Napi::Object>(), call));
  }
  result.metric = static_cast<Metric>(uint32Of(request, "metric"));
  result.dim = uint32Of(request, "dim");
  result.queryCount = uint32Of(request, "queryCount");
  result.k = uint32Of(request, "k");
  result.params = readParams(request.Get("params").As<Napi::Object>());
  const auto format = static_cast<VectorFormat>(uint32Of(request, "format"));
  result.queries = readQueries(format, result.dim, request.Get("queries"), result.queryCount);
  result.bm25 = readBm25(request.Get("bm25"));
  result.bounds = readBounds(request);
  return result;
}

Napi::Value searchResults(Napi::Env env, const SearchJob& job) {
  const size_t k = job.request().k;
  const std::vector<TopK>& results = job.results();
  // One buffer for all: each is memory of its own that the garbage collector has to give back.
  const size_t hitCount = results.size() * k;
  const auto buffer = Napi::ArrayBuffer::New(env, (results.size() + 3 * hitCount) * sizeof(uint32_t));
  const auto offset = [&](size_t hitArrays) { return (results.size() + hitArrays * hitCount) * sizeof(uint32_t); };
  auto counts = Napi::Uint32Array::New(env, results.size(), buffer, 0);
  auto sources = Napi::Uint32Array::New(env, hitCount, buffer, offset(0));
  auto rows = Napi::Uint32Array::New(env, hitCount, buffer, offset(1));
  auto scores = Napi::Float32Array::New(env, hitCount, buffer, offset(2));
  for (size_t query = 0; query < results.size(); query++) {
    const std::vector<Hit>& hits = results[query].hits();
    counts.Data()[query] = static_cast<uint32_t>(hits.size());
    for (size_t j = 0; j < hits.size(); j++) {
      sources.Data()[query * k + j] = hits[j].source;
      rows.Data()[query * k + j] = hits[j].row;
      scores.Data()[query * k + j] = hits[j].score;
    }
  }
  const Napi::Object value = Napi::Object::New(env);
  value.Set("k", Napi::Number::New(env, static_cast<double>(k)));
  value.Set("counts", counts);
  value.Set("sources", sources);
  value.Set("rows", rows);
  value.Set("scores", scores);
  return value;
}

}  // namespace mishards
