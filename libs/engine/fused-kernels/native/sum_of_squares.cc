// The sum of the squares of all numbers of a list of tensors, for the norm of a gradient, in double: in float the norm of a large
// matrix is off by 6e-5. Blocks of fixed length are summed side by side and then added up in order.
#include <algorithm>

#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

const Operation kOperation = {"PretrainSumOfSquares",
                              {"N: int >= 1"},
                              {"tensors: N * float"},
                              {"sum: float"},
                              [](const std::vector<Dimensions>&) -> std::vector<Dimensions> { return {{}}; }};

constexpr int64_t kNumbers = 32768; // of one block

double sumOfSquares(const float* numbers, int64_t count) {
  double sums[32] = {}; // independent of each other: the compiler adds them as vectors
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    for (int lane = 0; lane < 32; lane++) {
      const double number = numbers[i + lane];
      sums[lane] += number * number;
    }
  }
  double total = 0;
  for (; i < count; i++) total += static_cast<double>(numbers[i]) * numbers[i];
  for (const double sum : sums) total += sum;
  return total;
}

struct SumOfSquares {
  explicit SumOfSquares(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {}; }

  void compute(Call& call) const {
    struct Block {
      const float* begin;
      int64_t count;
    };
    std::vector<Block> blocks;
    for (size_t i = 0; i < call.shapes().size(); i++) {
      const int64_t count = elements(call.shapes()[i]);
      const float* numbers = call.input<float>(static_cast<int>(i));
      for (int64_t at = 0; at < count; at += kNumbers) blocks.push_back({numbers + at, std::min(kNumbers, count - at)});
    }
    std::vector<double> sums(blocks.size());
    inParallel(static_cast<int64_t>(blocks.size()), [&](int64_t i) { sums[i] = sumOfSquares(blocks[i].begin, blocks[i].count); });
    double total = 0;
    for (const double sum : sums) total += sum;
    *call.output<float>(0) = static_cast<float>(total);
  }
};

const Registration registration = Registration::forFloat<kOperation, SumOfSquares>();

}  // namespace
}  // namespace pretrain
