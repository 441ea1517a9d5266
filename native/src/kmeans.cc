#include "kmeans.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "random.h"

namespace mishards {
namespace {

// More rows a centre hardly move it.
constexpr size_t kSamplePerCentre = 64;
constexpr size_t kSampleMin = 4096;
// Centres scored for one row before the next row's turn: they stay in the second-level cache meanwhile.
constexpr size_t kTileBytes = 128 << 10;
// Rows that wait for their turn at a tile, so that a slice of long vectors takes no more memory than one of short ones.
constexpr size_t kBatchBytes = 4 << 20;
// How far a centre without rows is put from the one it shares rows with.
constexpr float kApart = 1.0f / 1024;

size_t tileOf(uint32_t dim) {
  return std::max<size_t>(1, kTileBytes / (size_t{dim} * sizeof(float)));
}

}  // namespace

void CentroidTable::scoreAll(const Simd& simd, const float* vector, float* scores) const {
  simd.innerProducts(vector, values, count, dim, scores);
  for (uint32_t i = 0; i < count; i++) scores[i] -= biases[i];
}

uint32_t CentroidTable::nearest(const Simd& simd, const float* vector) const {
  constexpr size_t kBatch = 64;
  float scores[kBatch];
  uint32_t best = 0;
  float bestScore = -INFINITY;
  for (uint32_t begin = 0; begin < count; begin += kBatch) {
    const size_t batch = std::min<size_t>(kBatch, count - begin);
    simd.innerProducts(vector, values + size_t{begin} * dim, batch, dim, scores);
    for (size_t i = 0; i < batch; i++) {
      const float score = scores[i] - biases[begin + i];
      if (!(score > bestScore)) continue;
      bestScore = score;
      best = begin + static_cast<uint32_t>(i);
    }
  }
  return best;
}

std::vector<float> ClusterSpace::meanOf(const VectorRows& rows, Metric metric) {
  std::vector<float> mean(rows.dim, 0.0f);
  if (metric != Metric::kL2) return mean;
  std::vector<double> sums(rows.dim, 0.0);
  std::vector<float> room;
  size_t counted = 0;
  const size_t step = std::max<size_t>(1, rows.rowCount / 65536);
  for (size_t index = 0; index < rows.rowCount; index += step) {
    const float* row = rows.floats(index, room);
    float norm = 0;
    for (size_t i = 0; i < rows.dim; i++) norm += row[i] * row[i];
    if (!std::isfinite(norm)) continue;
    for (size_t i = 0; i < rows.dim; i++) sums[i] += row[i];
    counted++;
  }
  for (size_t i = 0; i < rows.dim && counted > 0; i++) mean[i] = static_cast<float>(sums[i] / static_cast<double>(counted));
  return mean;
}

bool ClusterSpace::place(const Simd& simd, const float* vector, float* out) const {
  const size_t dim = mean_.size();
  if (!spherical()) {
    for (size_t i = 0; i < dim; i++) out[i] = vector[i] - mean_[i];
    return std::isfinite(simd.innerProduct(out, out, dim));
  }
  const float norm = simd.innerProduct(vector, vector, dim);
  const float scale = norm > 0 ? 1.0f / std::sqrt(norm) : 0.0f;
  for (size_t i = 0; i < dim; i++) out[i] = vector[i] * scale;
  return std::isfinite(norm) && std::isfinite(scale);
}

KMeans::KMeans(const Simd& simd, const VectorRows& rows, const ClusterSpace& space, uint32_t countMax, uint64_t seed)
    : simd_(simd), rows_(rows), space_(space) {
  const size_t wanted = std::max(kSampleMin, size_t{countMax} * kSamplePerCentre);
  drawSample(static_cast<uint32_t>(std::min<size_t>(rows.rowCount, wanted)), seed);
  drawCentres(countMax, seed);
  nearest_.assign(sample_.size(), count_);
  computeBiases();
}

/** One row of each of `wanted` stretches of equal length, so that rows in any order are covered. */
void KMeans::drawSample(uint32_t wanted, uint64_t seed) {
  const uint64_t stream = mix64(seed ^ 0x73616d706c65);
  std::vector<float> placed(rows_.dim);
  std::vector<float> room;
  for (uint32_t index = 0; index < wanted; index++) {
    const uint64_t begin = uint64_t{rows_.rowCount} * index / wanted;
    const uint64_t end = uint64_t{rows_.rowCount} * (index + 1) / wanted;
    const auto row = static_cast<uint32_t>(begin + mix64(stream + index) % (end - begin));
    if (space_.place(simd_, rows_.floats(row, room), placed.data())) sample_.push_back(row);
  }
}

/** Different rows of the sample; a single centre at the origin when there is none. */
void KMeans::drawCentres(uint32_t countMax, uint64_t seed) {
  count_ = std::clamp<uint32_t>(sampleCount(), 1, countMax);
  centroids_.assign(size_t{count_} * rows_.dim, 0.0f);
  const uint64_t stream = mix64(seed ^ 0x63656e747265);
  std::vector<uint32_t> order(sample_.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<float> room;
  for (uint32_t index = 0; index < count_ && index < order.size(); index++) {
    std::swap(order[index], order[index + mix64(stream + index) % (order.size() - index)]);
    space_.place(simd_, rows_.floats(sample_[order[index]], room), centre(index));
  }
}

void KMeans::computeBiases() {
  biases_ = centroidBiases(centroids_.data(), count_, rows_.dim, space_.spherical());
}

void KMeans::assign(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const size_t each = std::max<size_t>(1, kBatchBytes / (size_t{rows_.dim} * sizeof(float)));
  for (uint32_t at = begin; at < end;) {
    const auto next = static_cast<uint32_t>(std::min<size_t>(end, at + each));
    assignBatch(at, next, stopped);
    at = next;
  }
}

void KMeans::assignBatch(uint32_t begin, uint32_t end, const std::atomic<bool>& stopped) {
  const CentroidTable all = table();
  const size_t tile = tileOf(rows_.dim);
  std::vector<float> placed(size_t{end - begin} * rows_.dim);
  std::vector<float> scores(std::min<size_t>(tile, count_));
  std::vector<float> best(end - begin, -INFINITY);
  std::vector<uint32_t> found(end - begin, 0);
  std::vector<float> room;
  const auto isStopped = [&] { return stopped.load(std::memory_order_relaxed); };
  for (uint32_t at = begin; at < end && !isStopped(); at++) {
    space_.place(simd_, rows_.floats(sample_[at], room), placed.data() + size_t{at - begin} * rows_.dim);
  }
  for (size_t first = 0; first < count_; first += tile) {
    const auto size = static_cast<uint32_t>(std::min<size_t>(tile, count_ - first));
    const CentroidTable part{all.values + first * rows_.dim, all.biases + first, size, rows_.dim};
    for (uint32_t at = 0; at < end - begin && !isStopped(); at++) {
      part.scoreAll(simd_, placed.data() + size_t{at} * rows_.dim, scores.data());
      for (uint32_t i = 0; i < size; i++) {
        if (!(scores[i] > best[at])) continue;
        best[at] = scores[i];
        found[at] = static_cast<uint32_t>(first) + i;
      }
    }
  }
  // Also when stopped: `group` may follow, and takes every row to have a centre that is there.
  uint32_t moved = 0;
  for (uint32_t at = begin; at < end; at++) {
    moved += nearest_[at] != found[at - begin] ? 1 : 0;
    nearest_[at] = found[at - begin];
  }
  moved_ += moved;
}

uint32_t KMeans::group() {
  groupBy(nearest_, count_, &starts_, &members_);
  return moved_.exchange(0);
}

void KMeans::update(uint32_t begin, uint32_t end) {
  std::vector<double> sums(rows_.dim);
  std::vector<float> placed(rows_.dim);
  std::vector<float> room;
  for (uint32_t index = begin; index < end; index++) {
    const uint32_t size = starts_[index + 1] - starts_[index];
    if (size == 0) continue;
    std::fill(sums.begin(), sums.end(), 0.0);
    for (uint32_t at = starts_[index]; at < starts_[index + 1]; at++) {
      space_.place(simd_, rows_.floats(sample_[members_[at]], room), placed.data());
      for (size_t i = 0; i < rows_.dim; i++) sums[i] += placed[i];
    }
    double scale = 1.0 / size;
    if (space_.spherical()) {
      const double norm = std::sqrt(std::inner_product(sums.begin(), sums.end(), sums.begin(), 0.0));
      // Rows that cancel each other out have no direction in common: the centre stays.
      if (norm == 0) continue;
      scale = 1.0 / norm;
    }
    for (size_t i = 0; i < rows_.dim; i++) centre(index)[i] = static_cast<float>(sums[i] * scale);
  }
}

void KMeans::settle() {
  std::vector<std::pair<uint32_t, uint32_t>> sizes;
  for (uint32_t index = 0; index < count_; index++) sizes.push_back({starts_[index + 1] - starts_[index], index});
  std::make_heap(sizes.begin(), sizes.end());
  for (uint32_t index = 0; index < count_; index++) {
    if (starts_[index + 1] != starts_[index]) continue;
    std::pop_heap(sizes.begin(), sizes.end());
    auto& [size, from] = sizes.back();
    for (size_t i = 0; i < rows_.dim; i++) {
      const float step = i % 2 == 0 ? kApart : -kApart;
      centre(index)[i] = centre(from)[i] * (1 + step);
      centre(from)[i] *= 1 - step;
    }
    size /= 2;
    std::push_heap(sizes.begin(), sizes.end());
  }
  computeBiases();
}

size_t KMeans::bytes() const {
  return (sample_.size() + nearest_.size() + members_.size() + starts_.size()) * sizeof(uint32_t) +
         (centroids_.size() + biases_.size()) * sizeof(float);
}

void groupBy(const std::vector<uint32_t>& groups, uint32_t groupCount, std::vector<uint32_t>* starts,
             std::vector<uint32_t>* members) {
  starts->assign(size_t{groupCount} + 1, 0);
  for (const uint32_t group : groups) (*starts)[group + 1]++;
  std::partial_sum(starts->begin(), starts->end(), starts->begin());
  members->resize(groups.size());
  std::vector<uint32_t> next(starts->begin(), starts->end() - 1);
  for (uint32_t at = 0; at < groups.size(); at++) (*members)[next[groups[at]]++] = at;
}

std::vector<float> centroidBiases(const float* centroids, uint32_t count, uint32_t dim, bool spherical) {
  std::vector<float> biases(count, 0.0f);
  for (uint32_t index = 0; index < count && !spherical; index++) {
    const float* centre = centroids + size_t{index} * dim;
    double norm = 0;
    for (size_t i = 0; i < dim; i++) norm += double{centre[i]} * centre[i];
    biases[index] = static_cast<float>(norm / 2);
  }
  return biases;
}

}  // namespace mishards
