// Root mean square normalization (Zhang and Sennrich 2019, arxiv.org/abs/1910.07467), alone and with the addition before it, each
// row in one pass through the cache. With r = 1 / √(mean(x²) + epsilon), n = x r and g = dy weight:
//     y = n weight    dx = r (g - n mean(g n))    dweight = Σ dy n over all rows
// The gradient gives y once more, so that nobody has to keep it.
#include <algorithm>
#include <cmath>

#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

constexpr const char *kType = "T: {float, bfloat16} = DT_FLOAT", *kEpsilon = "epsilon: float";

void expectNorm(const Dimensions& x, const Dimensions& weight) {
  expect(!x.empty() && x.back() > 0, "x must be [..., width], is ", text(x));
  expect(weight == Dimensions{x.back()}, "weight must be [", x.back(), "], is ", text(weight));
}

const Operation kNorm = {"PretrainRmsNorm",
                         {kType, kEpsilon},
                         {"x: T", "weight: float"},
                         {"normed: T"},
                         [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
                           expectNorm(in[0], in[1]);
                           return {in[0]};
                         }};

const Operation kNormGradient = {"PretrainRmsNormGradient",
                                 {kType, kEpsilon},
                                 {"x: T", "weight: float", "d_normed: T"},
                                 {"dx: T", "d_weight: float", "normed: T"},
                                 [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
                                   expectNorm(in[0], in[1]);
                                   expect(in[2] == in[0], "d_normed must be ", text(in[0]), " as x, is ", text(in[2]));
                                   return {in[0], in[1], in[0]};
                                 }};

/** Rows of one part of the work: fixed, since the sums over rows are added up part by part. */
constexpr int64_t kRows = 32;

float rootMeanScale(float squares, int64_t width, float epsilon) {
  return 1 / std::sqrt(squares / static_cast<float>(width) + epsilon);
}

template <typename T>
void normalize(const T* x, const float* weight, float scale, int64_t width, T* normed) {
  const Vector scales = broadcast(scale);
  forColumns(width, [&](auto read, auto write, int) { write(normed, read(x) * scales * read(weight)); });
}

template <typename T>
struct RmsNorm {
  explicit RmsNorm(const Attributes& attributes) : epsilon(attributes.number("epsilon")) {}
  static std::vector<std::vector<int>> reusable() { return {{0}}; }

  void compute(Call& call) const {
    const int64_t width = call.shape(0).back(), count = rows(call.shape(0));
    const T* x = call.input<T>(0);
    const float* weight = call.input<float>(1);
    T* normed = call.output<T>(0);
    inParallel((count + kRows - 1) / kRows, [&](int64_t part) {
      for (int64_t row = part * kRows; row < std::min(count, (part + 1) * kRows); row++) {
        Vector squares = broadcast(0);
        forColumns(width, [&](auto read, auto, int) {
          const Vector numbers = read(x + row * width);
          squares = fma(numbers, numbers, squares);
        });
        normalize(x + row * width, weight, rootMeanScale(sum(squares), width, epsilon), width, normed + row * width);
      }
    });
  }

  const float epsilon;
};

template <typename T>
struct RmsNormGradient {
  explicit RmsNormGradient(const Attributes& attributes) : epsilon(attributes.number("epsilon")) {}
  static std::vector<std::vector<int>> reusable() { return {{2}, {}, {0}}; }

  void compute(Call& call) const {
    const int64_t width = call.shape(0).back(), count = rows(call.shape(0)), parts = (count + kRows - 1) / kRows;
    const int64_t padded = (width + kLanes - 1) / kLanes * kLanes;
    std::vector<float> partWeights(parts * padded); // a part's share of dweight
    inParallel(parts, [&](int64_t part) {
      for (int64_t row = part * kRows; row < std::min(count, (part + 1) * kRows); row++) {
        gradient(call, row * width, width, partWeights.data() + part * padded);
      }
    });
    float* dWeight = call.output<float>(1);
    inParallel(padded / kLanes, [&](int64_t column) {
      Vector total = broadcast(0);
      for (int64_t part = 0; part < parts; part++) total = total + load(partWeights.data() + part * padded + column * kLanes);
      storeFirst(dWeight + column * kLanes, total, static_cast<int>(std::min<int64_t>(kLanes, width - column * kLanes)));
    });
  }

 private:
  /** @param at where the row begins   @param dWeight what the rows before it have given, added to */
  void gradient(const Call& call, int64_t at, int64_t width, float* dWeight) const {
    const T *x = call.input<T>(0) + at, *dNormed = call.input<T>(2) + at;
    const float* weight = call.input<float>(1);
    T *dx = call.output<T>(0) + at, *normed = call.output<T>(2) + at;

    Vector squares = broadcast(0), products = broadcast(0);
    forColumns(width, [&](auto read, auto, int) {
      const Vector numbers = read(x);
      squares = fma(numbers, numbers, squares);
      products = fma(read(dNormed) * read(weight), numbers, products);
    });
    const float scale = rootMeanScale(sum(squares), width, epsilon);
    const Vector r = broadcast(scale), along = broadcast(sum(products) * scale / static_cast<float>(width));
    forColumns(width, [&](auto read, auto write, int) {
      const Vector n = read(x) * r, weights = read(weight), dy = read(dNormed);
      write(dWeight, fma(dy, n, read(dWeight)));
      write(dx, (dy * weights - n * along) * r);
      write(normed, n * weights);
    });
  }

  const float epsilon;
};

[[maybe_unused]] const Registration registrations[] = {
    Registration::forBothTypes<kNorm, RmsNorm>(),
    Registration::forBothTypes<kNormGradient, RmsNormGradient>(),
};

}  // namespace
}  // namespace pretrain
