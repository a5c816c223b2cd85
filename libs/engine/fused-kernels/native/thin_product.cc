// x Wᵀ for few rows of x and several matrices that read the same x, their products side by side. With one row, as in decoding, every
// number of a matrix is used once, so the product is as fast as memory can be read, and a general matrix product is far from that:
// on two Zen 4 cores it reads 9 GB/s and this 22. What matters there is that a thread reads one row after the other: rows that are
// read side by side lie 2 KiB apart, and four such streams were as slow as the general product.
#include <algorithm>

#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

constexpr int64_t kMostRows = 8;         // of x: beyond it a general product is as fast
constexpr int64_t kBlockBytes = 1 << 16; // of a matrix, for one part of the work

std::vector<Dimensions> shapes(const std::vector<Dimensions>& in) {
  const Dimensions& x = in.back();
  expect(x.size() == 2 && x[0] <= kMostRows, "x must be [rows, width] of at most ", kMostRows, " rows, is ", text(x));
  int64_t outputs = 0;
  for (size_t i = 0; i + 1 < in.size(); i++) {
    expect(in[i].size() == 2 && in[i][1] == x[1], "matrix ", i, " must be [outputs, ", x[1], "], is ", text(in[i]));
    outputs += in[i][0];
  }
  return {{x[0], outputs}};
}

const Operation kOperation = {
    "PretrainThinProduct", {"N: int >= 1"}, {"matrices: N * float", "x: float"}, {"product: float"}, shapes};

/** Some rows of one matrix, and the column that the product of the first one goes to. */
struct Block {
  const float* matrix;
  int64_t rows, column;
};

inline float product(const float* a, const float* b, int64_t width) {
  Vector even = broadcast(0), odd = broadcast(0); // two sums, since one multiplication must not wait for the one before
  int64_t at = 0;
  for (; at + 2 * kLanes <= width; at += 2 * kLanes) {
    even = fma(load(a + at), load(b + at), even);
    odd = fma(load(a + at + kLanes), load(b + at + kLanes), odd);
  }
  for (; at < width; at += kLanes) {
    const int count = static_cast<int>(std::min<int64_t>(kLanes, width - at));
    even = fma(loadFirst(a + at, count), loadFirst(b + at, count), even);
  }
  return sum(even + odd);
}

struct ThinProduct {
  explicit ThinProduct(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {}; }

  void compute(Call& call) const {
    const int matrices = static_cast<int>(call.shapes().size()) - 1;
    const int64_t rows = call.shape(matrices)[0], width = call.shape(matrices)[1];
    const int64_t rowsOfBlock = std::max<int64_t>(1, kBlockBytes / sizeof(float) / std::max<int64_t>(1, width));
    std::vector<Block> blocks;
    int64_t outputs = 0;
    for (int i = 0; i < matrices; i++) {
      const int64_t count = call.shape(i)[0];
      const float* matrix = call.input<float>(i);
      for (int64_t at = 0; at < count; at += rowsOfBlock) {
        blocks.push_back({matrix + at * width, std::min(rowsOfBlock, count - at), outputs + at});
      }
      outputs += count;
    }
    const float* x = call.input<float>(matrices);
    float* to = call.output<float>(0);
    inParallel(static_cast<int64_t>(blocks.size()), [&](int64_t index) {
      const Block& block = blocks[index];
      for (int64_t i = 0; i < block.rows; i++) {
        for (int64_t row = 0; row < rows; row++) { // the matrix's row comes from memory once, then from the nearest cache
          to[row * outputs + block.column + i] = product(block.matrix + i * width, x + row * width, width);
        }
      }
    });
  }
};

const Registration registration = Registration::forFloat<kOperation, ThinProduct>();

}  // namespace
}  // namespace pretrain
