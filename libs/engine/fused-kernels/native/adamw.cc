// One update of one tensor by Adam with decoupled weight decay (Loshchilov and Hutter 2019, arxiv.org/abs/1711.05101), each number
// read and written once. Clipping comes in as the gradient's scale, so that the clipped gradient is never written.
#include <algorithm>

#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

const Operation kOperation = {
    "PretrainAdamW",
    // 1 - beta comes rounded once from a double: of the float beta2 0.999 it would be off by 1.3e-5.
    {"beta1: float", "one_minus_beta1: float", "beta2: float", "one_minus_beta2: float", "epsilon: float"},
    {"weight: float", "first_moment: float", "second_moment: float", "gradient: float", "gradient_scale: float", "keep: float",
     "step_size: float", "root_scale: float"},
    {"new_weight: float", "new_first_moment: float", "new_second_moment: float"},
    [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
      for (int i = 1; i < 4; i++) {
        expect(in[i] == in[0], "moments and gradient must be ", text(in[0]), " as the weight, input ", i, " is ", text(in[i]));
      }
      for (int i = 4; i < 8; i++) expect(in[i].empty(), "input ", i, " must be a scalar, is ", text(in[i]));
      return {in[0], in[0], in[0]};
    }};

constexpr int64_t kNumbers = 16384; // of one part of the work

struct AdamW {
  explicit AdamW(const Attributes& attributes)
      : beta1(attributes.number("beta1")),
        oneMinusBeta1(attributes.number("one_minus_beta1")),
        beta2(attributes.number("beta2")),
        oneMinusBeta2(attributes.number("one_minus_beta2")),
        epsilon(attributes.number("epsilon")) {}
  static std::vector<std::vector<int>> reusable() { return {{0}, {1}, {2}}; }

  void compute(Call& call) const {
    const int64_t count = elements(call.shape(0));
    inParallel((count + kNumbers - 1) / kNumbers, [&](int64_t part) {
      const int64_t begin = part * kNumbers;
      update(call, begin, std::min(kNumbers, count - begin));
    });
  }

 private:
  void update(const Call& call, int64_t at, int64_t count) const {
    const float *weight = call.input<float>(0) + at, *first = call.input<float>(1) + at, *second = call.input<float>(2) + at;
    const float* gradient = call.input<float>(3) + at;
    const auto scalar = [&](int input) { return broadcast(*call.input<float>(input)); };
    const Vector gradientScale = scalar(4), keep = scalar(5), stepSize = scalar(6), rootScale = scalar(7);
    float *newWeight = call.output<float>(0) + at, *newFirst = call.output<float>(1) + at, *newSecond = call.output<float>(2) + at;
    forColumns(count, [&](auto read, auto write, int) {
      const Vector g = read(gradient) * gradientScale;
      const Vector m = fma(read(first), broadcast(beta1), g * broadcast(oneMinusBeta1));
      const Vector v = fma(read(second), broadcast(beta2), g * g * broadcast(oneMinusBeta2));
      write(newFirst, m);
      write(newSecond, v);
      write(newWeight, read(weight) * keep - stepSize * m / fma(root(v), rootScale, broadcast(epsilon)));
    });
  }

  const float beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon;
};

const Registration registration = Registration::forFloat<kOperation, AdamW>();

}  // namespace
}  // namespace pretrain
