#include "cpu.h"
#include "exact_score.h"
#include "failure.h"
#include "fuzz.h"
#include "fuzz_kernel.h"
#include "sparse.h"

using namespace mishards;

namespace fuzz {
namespace {

void scoreDense(const VectorRows& rows) {
  FUZZ_EXPECT(isDenseDim(rows.format, rows.dim));
  const Metric metric = rows.format == VectorFormat::kBinary ? Metric::kJaccard : Metric::kCosine;
  for (uint32_t row = 0; row < rows.rowCount; row++) {
    const Queries query(rows.format, rows.dim, rows.at(row), 1);
    const ExactScorer score(*availableSimd().front(), metric, rows, query.at(0));
    score(rows.at(rows.rowCount - 1 - row));
  }
}

void scoreSparse(const SparseRows& rows) {
  for (uint32_t row = 0; row < rows.rowCount; row++) {
    const SparseRow other = rows.row(row);
    for (uint32_t i = 1; i < other.count; i++) FUZZ_EXPECT(other.indices[i - 1] < other.indices[i]);
    const SparseScorer score(Metric::kInnerProduct, {}, rows.row(rows.rowCount - 1 - row));
    score(other);
  }
}

/** Opens the input as a file of vectors and scores every row of it with another. */
void run(const uint8_t* bytes, size_t size) {
  const std::string path = scratchFile("vectors");
  writeBytes(path, bytes, size);
  try {
    const auto file = VectorFile::open(path);
    FUZZ_EXPECT(file->bytes() == size);
    if (file->rows().format == VectorFormat::kSparse) {
      scoreSparse(file->sparseRows());
    } else {
      scoreDense(file->rows());
    }
  } catch (const Failure& failure) {
    FUZZ_EXPECT(failure.code() == Code::kCorruptData);
  }
}

void seeds(const AddSeed& add) {
  const std::string path = scratchFile("seed");
  for (uint32_t format = 0; format < kDenseFormats; format++) {
    for (const uint32_t dim : {8u, 40u}) {
      for (const uint32_t rowCount : {0u, 1u, 7u}) {
        const Bytes rows = someRows(static_cast<VectorFormat>(format), dim, rowCount, dim);
        writeVectors(path, {rows.data(), rowCount, dim, static_cast<VectorFormat>(format)});
        add(readBytes(path));
      }
    }
  }
  const uint32_t offsets[] = {0, 0, 2, 3, 6};
  const uint32_t indices[] = {1, 7, 0, 2, 9, 0xfffffffe};
  const float values[] = {1, 2, 0.5f, 1, 1, -3};
  for (const uint32_t rowCount : {0u, 1u, 4u}) {
    VectorFile::write(path, SparseRows{rowCount, offsets, indices, values});
    add(readBytes(path));
  }
}

}  // namespace

const Target kVectorsTarget{"vectors", run, seeds, true};

}  // namespace fuzz
