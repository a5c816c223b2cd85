// silu(gate) up with silu(a) = a σ(a): SwiGLU, Shazeer 2020, arxiv.org/abs/2002.05202. Gate and up lie side by side in a row, as one
// product of matrices gives them. silu'(a) = σ(a) (1 + a (1 - σ(a))). The gradient gives the activation once more, so that
// nobody has to keep it.
#include <algorithm>

#include "exponential.h"
#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

/** @returns the shape of the activation */
Dimensions activationShape(const Dimensions& gateUp) {
  expect(!gateUp.empty() && gateUp.back() > 0 && gateUp.back() % 2 == 0, "gate_up must be [..., 2 width], is ", text(gateUp));
  Dimensions shape = gateUp;
  shape.back() /= 2;
  return shape;
}

const Operation kOperation = {"PretrainSwiGlu",
                              {"T: {float, bfloat16} = DT_FLOAT"},
                              {"gate_up: T"},
                              {"activation: T"},
                              [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> { return {activationShape(in[0])}; }};

const Operation kGradientOperation = {
    "PretrainSwiGluGradient",
    {"T: {float, bfloat16} = DT_FLOAT"},
    {"gate_up: T", "d_activation: T"},
    {"d_gate_up: T", "activation: T"},
    [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
      const Dimensions shape = activationShape(in[0]);
      expect(in[1] == shape, "d_activation must be ", text(shape), ", is ", text(in[1]));
      return {in[0], shape};
    }};

constexpr int64_t kRows = 16; // of one part of the work

template <typename T>
struct SwiGlu {
  explicit SwiGlu(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {}; }

  void compute(Call& call) const {
    const int64_t width = call.shape(0).back() / 2, count = rows(call.shape(0));
    const T* gateUp = call.input<T>(0);
    T* activation = call.output<T>(0);
    inParallel((count + kRows - 1) / kRows, [&](int64_t part) {
      for (int64_t row = part * kRows; row < std::min(count, (part + 1) * kRows); row++) {
        const T* gates = gateUp + row * 2 * width;
        forColumns(width, [&](auto read, auto write, int) {
          const Vector gate = read(gates);
          write(activation + row * width, gate * logistic(gate) * read(gates + width));
        });
      }
    });
  }
};

template <typename T>
struct SwiGluGradient {
  explicit SwiGluGradient(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {{0}, {1}}; }

  void compute(Call& call) const {
    const int64_t width = call.shape(1).back(), count = rows(call.shape(1));
    const T *gateUp = call.input<T>(0), *dActivation = call.input<T>(1);
    T *dGateUp = call.output<T>(0), *activation = call.output<T>(1);
    inParallel((count + kRows - 1) / kRows, [&](int64_t part) {
      for (int64_t row = part * kRows; row < std::min(count, (part + 1) * kRows); row++) {
        const T* gates = gateUp + row * 2 * width;
        T* dGates = dGateUp + row * 2 * width;
        forColumns(width, [&](auto read, auto write, int) {
          const Vector gate = read(gates), up = read(gates + width), gradient = read(dActivation + row * width);
          const Vector open = logistic(gate), silu = gate * open;
          write(dGates, gradient * up * fma(silu, broadcast(1) - open, open));
          write(dGates + width, gradient * silu);
          write(activation + row * width, silu * up);
        });
      }
    });
  }
};

[[maybe_unused]] const Registration registrations[] = {
    Registration::forBothTypes<kOperation, SwiGlu>(),
    Registration::forBothTypes<kGradientOperation, SwiGluGradient>(),
};

}  // namespace
}  // namespace pretrain
