// The peer: hnswlib as its users build it (-O3 -march=native). Reads raw float32 files, prints one JSON object a line.
//   hnswlib BASE QUERIES TRUTH L2|IP DIM K THREADS ROUNDS POINT_SECONDS RECALL_MAX M EF_CONSTRUCTION SEED EF...
// "build" gives seconds and bytes; "search" gives the best seconds of the rounds on one thread, and the found labels. Rounds end
// after POINT_SECONDS, the run after the first EF that reaches RECALL_MAX.
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename T>
std::vector<T> readValues(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "cannot open %s\n", path);
    std::exit(1);
  }
  std::vector<T> values(static_cast<size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

using Found = std::vector<std::vector<size_t>>;

double recallOf(const Found& found, const std::vector<uint32_t>& truth, size_t k) {
  size_t wanted = 0, got = 0;
  for (size_t query = 0; query < found.size(); query++) {
    for (size_t j = 0; j < k && truth[query * k + j] != UINT32_MAX; j++) {
      wanted++;
      got += static_cast<size_t>(std::count(found[query].begin(), found[query].end(), truth[query * k + j]));
    }
  }
  return wanted == 0 ? 1 : static_cast<double>(got) / static_cast<double>(wanted);
}

void printFound(const Found& found) {
  for (size_t query = 0; query < found.size(); query++) {
    std::printf(query == 0 ? "[" : ",[");
    for (size_t j = 0; j < found[query].size(); j++) std::printf(j == 0 ? "%zu" : ",%zu", found[query][j]);
    std::printf("]");
  }
}

std::unique_ptr<hnswlib::SpaceInterface<float>> spaceOf(const std::string& metric, size_t dim) {
  if (metric == "L2") return std::make_unique<hnswlib::L2Space>(dim);
  return std::make_unique<hnswlib::InnerProductSpace>(dim);
}

/** As a saved file: every element, and the links of upper levels. */
size_t bytesOf(const hnswlib::HierarchicalNSW<float>& index) {
  size_t bytes = index.cur_element_count * index.size_data_per_element_;
  for (size_t row = 0; row < index.cur_element_count; row++) {
    bytes += static_cast<size_t>(index.element_levels_[row]) * index.size_links_per_element_;
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 15) {
    std::fprintf(stderr, "usage: see the first lines of the source\n");
    return 1;
  }
  const std::vector<float> base = readValues<float>(argv[1]);
  const std::vector<float> queries = readValues<float>(argv[2]);
  const std::vector<uint32_t> truth = readValues<uint32_t>(argv[3]);
  const auto number = [&](int at) { return static_cast<size_t>(std::stoul(argv[at])); };
  const size_t dim = number(5), k = number(6), threads = number(7), rounds = number(8);
  const double pointSeconds = std::stod(argv[9]), recallMax = std::stod(argv[10]);
  const size_t rows = base.size() / dim, queryCount = queries.size() / dim;

  const auto space = spaceOf(argv[4], dim);
  hnswlib::HierarchicalNSW<float> index(space.get(), rows, number(11), number(12), number(13));
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
  std::printf("{\"kind\":\"build\",\"seconds\":%.6f,\"sizeBytes\":%zu}\n", now() - start, bytesOf(index));

  for (int at = 14; at < argc; at++) {
    index.setEf(number(at));
    double best = 1e300;
    Found found(queryCount);
    const double begin = now();
    for (size_t round = 0; round < rounds && (round == 0 || now() - begin < pointSeconds); round++) {
      start = now();
      for (size_t query = 0; query < queryCount; query++) {
        auto result = index.searchKnn(queries.data() + query * dim, k);
        found[query].clear();
        for (; !result.empty(); result.pop()) found[query].push_back(result.top().second);
      }
      best = std::min(best, now() - start);
    }
    std::printf("{\"kind\":\"search\",\"effort\":%zu,\"seconds\":%.6f,\"rows\":[", number(at), best);
    printFound(found);
    std::printf("]}\n");
    std::fflush(stdout);
    if (recallOf(found, truth, k) >= recallMax) break;
  }
}
