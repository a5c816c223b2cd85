// The cost of predictions and its gradient for the logits in one go: a row of logits is read while it is in the cache, and its
// gradient takes its place.
#include <algorithm>
#include <cmath>

#include "exponential.h"
#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

const Operation kOperation = {
    "PretrainSoftmaxCrossEntropy",
    {"T: {float, bfloat16} = DT_FLOAT"},
    {"logits: T", "targets: int32", "weights: float"},
    {"losses: float", "d_logits: T"},
    [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
      expect(in[0].size() == 2 && in[0][1] > 0, "logits must be [rows, vocabulary], are ", text(in[0]));
      const Dimensions perRow = {in[0][0]};
      expect(in[1] == perRow && in[2] == perRow, "targets and weights must be ", text(perRow), ", are ", text(in[1]), " and ",
             text(in[2]));
      return {perRow, in[0]};
    }};

constexpr int64_t kRows = 4; // of one part of the work

template <typename T>
struct SoftmaxCrossEntropy {
  explicit SoftmaxCrossEntropy(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {{}, {0}}; }

  void compute(Call& call) const {
    const int64_t count = call.shape(0)[0], vocabulary = call.shape(0)[1];
    const T* logits = call.input<T>(0);
    const int32_t* targets = call.input<int32_t>(1);
    const float* weights = call.input<float>(2);
    float* losses = call.output<float>(0);
    T* gradients = call.output<T>(1);
    for (int64_t row = 0; row < count; row++) {
      expect(weights[row] == 0 || (targets[row] >= 0 && targets[row] < vocabulary), "target ", targets[row], " of row ", row,
             " is not in [0, ", vocabulary, ") and its weight is not 0");
    }
    inParallel((count + kRows - 1) / kRows, [&](int64_t part) {
      for (int64_t row = part * kRows; row < std::min(count, (part + 1) * kRows); row++) {
        losses[row] = loss(logits + row * vocabulary, vocabulary, targets[row], weights[row], gradients + row * vocabulary);
      }
    });
  }

 private:
  /** weight (log Σ exp(logits) - logits[target]) in nats. @param gradient set to weight (softmax(logits) - one at the target) */
  static float loss(const T* logits, int64_t vocabulary, int32_t target, float weight, T* gradient) {
    if (weight == 0) { // also if a logit is not finite
      std::memset(gradient, 0, static_cast<size_t>(vocabulary) * sizeof(T));
      return 0;
    }
    const float highest = highestOf(logits, vocabulary), chosen = logitOf(logits, target);

    static thread_local std::vector<float> exponentials;
    exponentials.resize(vocabulary);
    Vector sums = broadcast(0);
    const Vector top = broadcast(highest), scale = broadcast(kLog2E);
    forColumns(vocabulary, [&](auto read, auto write, int present) {
      const Vector exponential = firstLanes(present, powerOfTwoUpTo127((read(logits) - top) * scale));
      write(exponentials.data(), exponential);
      sums = sums + exponential;
    });
    const float total = sum(sums);

    const Vector share = broadcast(weight / total);
    forColumns(vocabulary, [&](auto read, auto write, int) { write(gradient, read(exponentials.data()) * share); });
    const float atTarget = (exponentials[target] / total - 1) * weight;
    storeFirst(gradient + target, broadcast(atTarget), 1);
    return weight * (std::log(total) + (highest - chosen));
  }

  static float highestOf(const T* logits, int64_t vocabulary) {
    Vector highest = broadcast(logitOf(logits, 0));
    forColumns(vocabulary, [&](auto read, auto, int present) {
      const Vector numbers = read(logits);
      highest = larger(highest, present == kLanes ? numbers : fromLane(present, highest, numbers));
    });
    return maximum(highest);
  }

  static float logitOf(const T* logits, int64_t index) { return sum(loadFirst(logits + index, 1)); }
};

const Registration registration = Registration::forBothTypes<kOperation, SoftmaxCrossEntropy>();

}  // namespace
}  // namespace pretrain
