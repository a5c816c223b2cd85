// The gradient of causal attention. Nothing of the size of the scores was kept: with the log-sum-exp of each query its
// probabilities are one exponential away (Dao et al. 2022, arxiv.org/abs/2205.14135, appendix B).
//
// With P the probabilities, dO the gradient of the output O, and D = Σ dO O of each query (which is Σ dP P):
//     dV = Pᵀ dO    dP = dO Vᵀ    dS = P (dP - D)    dQ = dS K / √head_size    dK = dSᵀ Q / √head_size
#include <algorithm>

#include "attention_heads.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

AttentionShape shapeOf(const std::vector<Dimensions>& inputs) {
  const Dimensions &y = inputs[3], &logSumExp = inputs[4], &dy = inputs[5];
  expect(logSumExp.size() == 3, "log_sum_exp must be [batch, heads, sequence], is ", text(logSumExp));
  const AttentionShape shape = attentionShape(inputs[0], inputs[1], inputs[2], logSumExp[1]);
  const Dimensions output = {shape.batch, shape.sequence, shape.heads * shape.headSize};
  expect(y == output && dy == output, "y and dy must be ", text(output), ", are ", text(y), " and ", text(dy));
  const Dimensions statistics = {shape.batch, shape.heads, shape.sequence};
  expect(logSumExp == statistics, "log_sum_exp must be ", text(statistics), ", is ", text(logSumExp));
  return shape;
}

const Operation kOperation = {
    "PretrainCausalAttentionGradient",
    {"T: {float, bfloat16} = DT_FLOAT"},
    {"qkv: T", "cos: float", "sin: float", "y: T", "log_sum_exp: float", "dy: T"},
    {"dqkv: T"},
    [](const std::vector<Dimensions>& inputs) -> std::vector<Dimensions> {
      shapeOf(inputs);
      return {inputs[0]};
    }};

constexpr int kBlock = 64; // keys; 128 are as fast, 32 are 3 % slower

/** Sixteen queries: as rows and as columns (see attention_tile.h), with what the gradient needs of each. */
template <int W>
struct Queries {
  alignas(64) float rows[kTile * W], columns[W * kTile];   // q, times log2(e) / √head_size
  alignas(64) float dRows[kTile * W], dColumns[W * kTile]; // dO
  alignas(64) float gradient[W * kTile];                   // dQ √head_size, as columns
  alignas(64) float minusLogSum[kTile], minusShare[kTile]; // of 2^score, in powers of 2; and -D
};

/** What one block of keys gives to sixteen queries, and they to it. @param diagonal as in the op itself */
template <int W>
void exchange(Queries<W>& queries, const float* keys, const float* values, int count, int diagonal, float* dKeys, float* dValues) {
  alignas(64) float probabilities[kBlock * kTile], dScores[kBlock * kTile];
  for (int key = 0; key < count; key += kKeys) {
    Vector sums[kKeys];
    products<W>(queries.columns, keys + key * W, load(queries.minusLogSum), sums);
    for (int i = 0; i < kKeys; i++) {
      Vector probability = powerOfTwo(sums[i]);
      if (key >= diagonal) probability = fromLane(key + i - diagonal, probability, broadcast(0));
      store(probabilities + (key + i) * kTile, probability);
    }
    products<W>(queries.dColumns, values + key * W, load(queries.minusShare), sums);
    for (int i = 0; i < kKeys; i++) store(dScores + (key + i) * kTile, sums[i] * load(probabilities + (key + i) * kTile));
  }
  for (int part = 0; part < W; part += kSums) {
    Vector sums[kSums];
    for (int i = 0; i < kSums; i++) sums[i] = load(queries.gradient + (part + i) * kTile);
    for (int key = 0; key < count; key++) gather(load(dScores + key * kTile), keys + key * W + part, sums);
    for (int i = 0; i < kSums; i++) store(queries.gradient + (part + i) * kTile, sums[i]);
  }
  scatter<W>(probabilities, queries.dRows, count, dValues);
  scatter<W>(dScores, queries.rows, count, dKeys);
}

template <int W, typename T>
class HeadGroup {
 public:
  HeadGroup(const AttentionShape& shape, const Heads<W, const T>& heads, const Heads<W, T>& gradients, const T* y,
            const float* logSumExp, const T* dy)
      : shape_(shape), heads_(heads), gradients_(gradients), y_(y), logSumExp_(logSumExp), dy_(dy) {}

  /** One head of keys and values and all queries that read it. */
  void compute(int64_t batch, int64_t keyValueHead) const {
    static thread_local Scratch scratch;
    const int64_t size = roundedUp(shape_.sequence, kTile) * W;
    float* keys = scratch.floats(4 * size);
    float *values = keys + size, *dKeys = keys + 2 * size, *dValues = keys + 3 * size;
    heads_.readKeysAndValues(batch, keyValueHead, keys, values);
    clear(dKeys, 2 * size);
    for (int64_t head = keyValueHead * shape_.group(); head < (keyValueHead + 1) * shape_.group(); head++) {
      for (int64_t first = 0; first < shape_.sequence; first += kTile) {
        Queries<W> queries;
        const int present = static_cast<int>(std::min<int64_t>(kTile, shape_.sequence - first));
        readQueries(batch, head, first, present, queries);
        for (int64_t begin = 0; begin < first + kTile; begin += kBlock) {
          const int count = static_cast<int>(std::min<int64_t>(kBlock, first + kTile - begin));
          const int diagonal = static_cast<int>(std::min<int64_t>(kBlock, first - begin));
          const int64_t at = begin * W;
          exchange<W>(queries, keys + at, values + at, count, diagonal, dKeys + at, dValues + at);
        }
        writeQueryGradients(batch, head, first, present, queries);
      }
    }
    gradients_.writeKeysAndValues(batch, keyValueHead, kLn2, dKeys, dValues); // the queries held log2(e) too much
  }

 private:
  /** A missing query is all zeros and gives nothing to dK and dV. */
  void readQueries(int64_t batch, int64_t head, int64_t first, int present, Queries<W>& queries) const {
    const float scale = kLog2E / std::sqrt(static_cast<float>(shape_.headSize));
    const float* logSumExp = logSumExp_ + (batch * shape_.heads + head) * shape_.sequence + first;
    for (int i = 0; i < present; i++) {
      heads_.readQuery(batch, first + i, head, scale, queries.rows + i * W);
      const int64_t at = outputAt(batch, first + i, head);
      alignas(64) float output[W];
      readRow<W>(y_ + at, shape_.headSize, 1, output);
      readRow<W>(dy_ + at, shape_.headSize, 1, queries.dRows + i * W);
      Vector share = broadcast(0);
      for (int d = 0; d < W; d += kLanes) share = fma(load(output + d), load(queries.dRows + i * W + d), share);
      queries.minusShare[i] = -sum(share);
      queries.minusLogSum[i] = -logSumExp[i] * kLog2E;
    }
    clear(queries.rows + present * W, (kTile - present) * W);
    clear(queries.dRows + present * W, (kTile - present) * W);
    clear(queries.minusShare + present, kTile - present);
    clear(queries.minusLogSum + present, kTile - present);
    clear(queries.gradient, W * kTile);
    columnsOf<W>(queries.rows, queries.columns);
    columnsOf<W>(queries.dRows, queries.dColumns);
    heads_.prefetchQueries(batch, first + kTile, head);
    for (int64_t position = first + kTile; position < std::min(first + 2 * kTile, shape_.sequence); position++) {
      prefetch(y_ + outputAt(batch, position, head), shape_.headSize);
      prefetch(dy_ + outputAt(batch, position, head), shape_.headSize);
    }
  }

  int64_t outputAt(int64_t batch, int64_t position, int64_t head) const {
    return ((batch * shape_.sequence + position) * shape_.heads + head) * shape_.headSize;
  }

  void writeQueryGradients(int64_t batch, int64_t head, int64_t first, int present, Queries<W>& queries) const {
    const Vector scale = broadcast(1 / std::sqrt(static_cast<float>(shape_.headSize)));
    for (int d = 0; d < W; d++) store(queries.gradient + d * kTile, load(queries.gradient + d * kTile) * scale);
    rowsOf<W>(queries.gradient, queries.rows);
    for (int i = 0; i < present; i++) gradients_.writeQuery(batch, first + i, head, queries.rows + i * W);
  }

  const AttentionShape shape_;
  const Heads<W, const T> heads_;
  const Heads<W, T> gradients_;
  const T* const y_;
  const float* const logSumExp_;
  const T* const dy_;
};

template <typename T>
struct CausalAttentionGradient {
  explicit CausalAttentionGradient(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {}; }

  void compute(Call& call) const {
    const AttentionShape shape = shapeOf(call.shapes());
    withWidth(shape.headSize, [&](auto width) {
      const Rotations<width()> rotations(shape, call.input<float>(1), call.input<float>(2));
      const Heads<width(), const T> heads(shape, call.input<T>(0), rotations);
      const Heads<width(), T> gradients(shape, call.output<T>(0), rotations);
      const HeadGroup<width(), T> group(shape, heads, gradients, call.input<T>(3), call.input<float>(4), call.input<T>(5));
      inParallel(shape.batch * shape.keyValueHeads,
                 [&](int64_t part) { group.compute(part / shape.keyValueHeads, part % shape.keyValueHeads); });
    });
  }
};

const Registration registration = Registration::forBothTypes<kOperation, CausalAttentionGradient>();

}  // namespace
}  // namespace pretrain
