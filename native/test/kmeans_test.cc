#include <algorithm>
#include <atomic>
#include <cmath>

#include "check.h"
#include "cpu.h"
#include "kmeans.h"
#include "random.h"

using namespace mishards;

namespace {

constexpr uint32_t kDim = 5;
constexpr uint32_t kClusters = 20;
constexpr uint32_t kRows = 2000;

/** Rows in clusters far from each other. */
std::vector<float> clusteredRows() {
  std::vector<float> values(size_t{kRows} * kDim);
  uint64_t state = mix64(checkSeed);
  std::vector<float> centres(kClusters * kDim);
  for (float& value : centres) value = static_cast<float>(unitInterval(mix64(state++)) - 0.5) * 100;
  for (uint32_t row = 0; row < kRows; row++) {
    for (uint32_t i = 0; i < kDim; i++) {
      values[row * kDim + i] = centres[row % kClusters * kDim + i] + static_cast<float>(unitInterval(mix64(state++)));
    }
  }
  return values;
}

double meanDistance(const Simd& simd, const VectorRows& rows, const ClusterSpace& space, const CentroidTable& table) {
  std::vector<float> placed(kDim);
  double sum = 0;
  for (uint32_t row = 0; row < rows.rowCount; row++) {
    space.place(simd, rows.row(row), placed.data());
    const uint32_t nearest = table.nearest(simd, placed.data());
    sum += simd.squaredDistance(placed.data(), table.values + size_t{nearest} * kDim, kDim);
  }
  return sum / rows.rowCount;
}

}  // namespace

CHECK_CASE(kmeans, "k-means lowers the distance to the centres, fills every list and is not moved by slices") {
  const std::vector<float> values = clusteredRows();
  const VectorRows rows{values.data(), kRows, kDim};
  const std::atomic<bool> stopped{false};
  for (const Simd* simd : availableSimd()) {
    const ClusterSpace space(Metric::kL2, ClusterSpace::meanOf(rows, Metric::kL2));
    KMeans whole(*simd, rows, space, 2 * kClusters, 3);
    KMeans sliced(*simd, rows, space, 2 * kClusters, 3);
    EXPECT(whole.count() == 2 * kClusters);
    const double before = meanDistance(*simd, rows, space, whole.table());
    for (int iteration = 0; iteration < 10; iteration++) {
      whole.assign(0, whole.sampleCount(), stopped);
      for (uint32_t at = 0; at < sliced.sampleCount(); at += 77) {
        sliced.assign(at, std::min(sliced.sampleCount(), at + 77), stopped);
      }
      EXPECT(whole.group() == sliced.group());
      whole.update(0, whole.count());
      for (uint32_t at = 0; at < sliced.count(); at++) sliced.update(at, at + 1);
      whole.settle();
      sliced.settle();
    }
    EXPECT(meanDistance(*simd, rows, space, whole.table()) < 0.7 * before);
    for (size_t i = 0; i < size_t{whole.count()} * kDim; i++) EXPECT(whole.table().values[i] == sliced.table().values[i]);
  }
}

CHECK_CASE(kmeansOnEqualRows, "k-means on rows that are all the same, or too few, gives finite centres") {
  const std::vector<float> values(size_t{100} * kDim, 2.5f);
  const std::atomic<bool> stopped{false};
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    for (const uint32_t rowCount : {0u, 1u, 100u}) {
      const VectorRows rows{values.data(), rowCount, kDim};
      const ClusterSpace space(metric, ClusterSpace::meanOf(rows, metric));
      KMeans centres(*availableSimd().front(), rows, space, 30, 1);
      for (int iteration = 0; iteration < 3; iteration++) {
        centres.assign(0, centres.sampleCount(), stopped);
        centres.group();
        centres.update(0, centres.count());
        centres.settle();
      }
      EXPECT(centres.count() == std::clamp(rowCount, 1u, 30u));
      for (size_t i = 0; i < size_t{centres.count()} * kDim; i++) EXPECT(std::isfinite(centres.table().values[i]));
    }
  }
}

CHECK_CASE(kmeansStopped, "k-means that is stopped in its first round leaves every row a centre that is there") {
  const std::vector<float> values = clusteredRows();
  const VectorRows rows{values.data(), kRows, kDim};
  const ClusterSpace space(Metric::kL2, ClusterSpace::meanOf(rows, Metric::kL2));
  KMeans centres(*availableSimd().front(), rows, space, kClusters, 3);
  centres.assign(0, centres.sampleCount(), std::atomic<bool>{true});
  EXPECT(centres.group() == centres.sampleCount());
}
