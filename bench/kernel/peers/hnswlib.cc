// The peer: hnswlib as its users build it (-O3 -march=native). Reads raw float32 files, prints one JSON object a line.
//   hnswlib BASE QUERIES DIM K M EF_CONSTRUCTION THREADS SEED ROUNDS EF...
// "build" gives seconds; "search" gives the best seconds of the rounds on one thread, and the found labels.
#include <hnswlib/hnswlib.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<float> readFloats(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "cannot open %s\n", path);
    std::exit(1);
  }
  std::vector<float> values(static_cast<size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 11) {
    std::fprintf(stderr, "usage: hnswlib BASE QUERIES DIM K M EF_CONSTRUCTION THREADS SEED ROUNDS EF...\n");
    return 1;
  }
  const std::vector<float> base = readFloats(argv[1]);
  const std::vector<float> queries = readFloats(argv[2]);
  const auto number = [&](int at) { return static_cast<size_t>(std::stoul(argv[at])); };
  const size_t dim = number(3), k = number(4), threads = number(7), rounds = number(9);
  const size_t rows = base.size() / dim, queryCount = queries.size() / dim;

  hnswlib::InnerProductSpace space(dim);
  hnswlib::HierarchicalNSW<float> index(&space, rows, number(5), number(6), number(8));
  double start = now();
  index.addPoint(base.data(), 0);
  std::atomic<size_t> next{1};
  std::vector<std::thread> workers;
  for (size_t thread = 0; thread < threads; thread++) {
    workers.emplace_back([&] {
      for (size_t row = next++; row < rows; row = next++) index.addPoint(base.data() + row * dim, row);
    });
  }
  for (std::thread& worker : workers) worker.join();
  std::printf("{\"kind\":\"build\",\"seconds\":%.6f}\n", now() - start);

  for (int at = 10; at < argc; at++) {
    index.setEf(number(at));
    double best = 1e300;
    std::vector<std::vector<size_t>> found(queryCount);
    for (size_t round = 0; round < rounds; round++) {
      start = now();
      for (size_t query = 0; query < queryCount; query++) {
        auto result = index.searchKnn(queries.data() + query * dim, k);
        found[query].clear();
        for (; !result.empty(); result.pop()) found[query].push_back(result.top().second);
      }
      best = std::min(best, now() - start);
    }
    std::printf("{\"kind\":\"search\",\"ef\":%zu,\"seconds\":%.6f,\"rows\":[", number(at), best);
    for (size_t query = 0; query < queryCount; query++) {
      std::printf(query == 0 ? "[" : ",[");
      for (size_t j = 0; j < found[query].size(); j++) std::printf(j == 0 ? "%zu" : ",%zu", found[query][j]);
      std::printf("]");
    }
    std::printf("]}\n");
    std::fflush(stdout);
  }
}
