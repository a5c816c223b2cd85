// Causal attention from the projections to what the heads read, without ever holding the square of scores: blocks of keys with a
// running maximum and sum (Dao et al. 2022, arxiv.org/abs/2205.14135; Milakov and Gimelshein 2018, arxiv.org/abs/1805.02867).
#include <algorithm>

#include "attention_heads.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

// The C API's shape functions cannot read integer attributes, so the number of heads comes as the shape of an empty tensor.
const Operation kOperation = {
    "PretrainCausalAttention",
    {"T: {float, bfloat16} = DT_FLOAT"},
    {"qkv: T", "cos: float", "sin: float", "heads: int32"},
    {"y: T", "log_sum_exp: float"},
    [](const std::vector<Dimensions>& inputs) -> std::vector<Dimensions> {
      expect(inputs[3].size() == 2 && inputs[3][1] == 0, "heads must be [heads, 0], is ", text(inputs[3]));
      const AttentionShape shape = attentionShape(inputs[0], inputs[1], inputs[2], inputs[3][0]);
      return {{shape.batch, shape.sequence, shape.heads * shape.headSize}, {shape.batch, shape.heads, shape.sequence}};
    }};

constexpr int kBlock = 256; // keys; 64 are 5 % slower, 32 are 13 % (heads of 16, 512 positions, Zen 4)

/** What a tile of queries has read so far: the values weighted by 2^(score - maximum), and the sum of the weights. */
template <int W>
struct Reading {
  alignas(64) float columns[W * kTile];
  Vector maximum, sum;
};

/** The keys whose weights are computed while the values of those before them are gathered: other units of the processor. */
constexpr int kAhead = 4;

/** Scores of `kAhead` keys to weights, in place. @returns their sum added to `sum` */
inline Vector weights(float* scores, int key, int diagonal, Vector highest, Vector sum) {
  for (int i = key; i < key + kAhead; i++) {
    Vector weight = powerOfTwoUpTo127(load(scores + i * kTile) - highest);
    if (i >= diagonal) weight = fromLane(i - diagonal, weight, broadcast(0));
    sum = sum + weight;
    store(scores + i * kTile, weight);
  }
  return sum;
}

/**
 * Reads a block of keys.
 *
 * @param diagonal from this key of the block on, a multiple of sixteen, key diagonal + i is seen from lane i on
 */
template <int W>
void read(const float* queries, const float* keys, const float* values, int count, int diagonal, Reading<W>& reading) {
  alignas(64) float scores[kBlock * kTile];
  Vector highest = reading.maximum;
  for (int key = 0; key < count; key += kKeys) {
    Vector sums[kKeys];
    products<W>(queries, keys + key * W, broadcast(0), sums);
    for (int i = 0; i < kKeys; i++) {
      if (key >= diagonal) sums[i] = fromLane(key + i - diagonal, sums[i], broadcast(-1e30f));
      highest = larger(highest, sums[i]);
      store(scores + (key + i) * kTile, sums[i]);
    }
  }
  const Vector shrink = powerOfTwoUpTo127(reading.maximum - highest);
  Vector sum = weights(scores, 0, diagonal, highest, reading.sum * shrink);
  for (int part = 0; part < W; part += kSums) {
    Vector sums[kSums];
    for (int i = 0; i < kSums; i++) sums[i] = load(reading.columns + (part + i) * kTile) * shrink;
    for (int key = 0; key < count; key += kAhead) {
      if (part == 0 && key + kAhead < count) sum = weights(scores, key + kAhead, diagonal, highest, sum);
      for (int i = key; i < key + kAhead; i++) gather(load(scores + i * kTile), values + i * W + part, sums);
    }
    for (int i = 0; i < kSums; i++) store(reading.columns + (part + i) * kTile, sums[i]);
  }
  reading.maximum = highest;
  reading.sum = sum;
}

template <int W, typename T>
class HeadGroup {
 public:
  HeadGroup(const AttentionShape& shape, const Heads<W, const T>& heads, T* y, float* logSumExp)
      : shape_(shape), heads_(heads), y_(y), logSumExp_(logSumExp) {}

  /** All queries that read the keys and values of one head. */
  void compute(int64_t batch, int64_t keyValueHead) const {
    static thread_local Scratch scratch;
    const int64_t size = roundedUp(shape_.sequence, kTile) * W;
    float* keys = scratch.floats(2 * size);
    float* values = keys + size;
    heads_.readKeysAndValues(batch, keyValueHead, keys, values);
    for (int64_t head = keyValueHead * shape_.group(); head < (keyValueHead + 1) * shape_.group(); head++) {
      for (int64_t first = 0; first < shape_.sequence; first += kTile) tile(batch, head, first, keys, values);
    }
  }

 private:
  /** Sixteen queries from `first` on, or those that there are. */
  void tile(int64_t batch, int64_t head, int64_t first, const float* keys, const float* values) const {
    alignas(64) float rows[kTile * W], queries[W * kTile];
    const int present = static_cast<int>(std::min<int64_t>(kTile, shape_.sequence - first));
    const float scale = kLog2E / std::sqrt(static_cast<float>(shape_.headSize)); // powers of 2 in place of e
    for (int i = 0; i < present; i++) heads_.readQuery(batch, first + i, head, scale, rows + i * W);
    clear(rows + present * W, (kTile - present) * W);
    columnsOf<W>(rows, queries);
    heads_.prefetchQueries(batch, first + kTile, head);

    Reading<W> reading;
    clear(reading.columns, W * kTile);
    reading.maximum = broadcast(-1e30f);
    reading.sum = broadcast(0);
    for (int64_t begin = 0; begin < first + kTile; begin += kBlock) {
      const int count = static_cast<int>(std::min<int64_t>(kBlock, first + kTile - begin));
      const int diagonal = static_cast<int>(std::min<int64_t>(kBlock, first - begin));
      read<W>(queries, keys + begin * W, values + begin * W, count, diagonal, reading);
    }

    const Vector share = broadcast(1) / reading.sum;
    for (int d = 0; d < W; d++) store(reading.columns + d * kTile, load(reading.columns + d * kTile) * share);
    rowsOf<W>(reading.columns, rows);
    alignas(64) float maximum[kTile], sum[kTile];
    store(maximum, reading.maximum);
    store(sum, reading.sum);
    float* logSumExp = logSumExp_ + (batch * shape_.heads + head) * shape_.sequence + first;
    for (int i = 0; i < present; i++) {
      writeRow(y_ + ((batch * shape_.sequence + first + i) * shape_.heads + head) * shape_.headSize, shape_.headSize, rows + i * W);
      logSumExp[i] = maximum[i] * kLn2 + std::log(sum[i]);
    }
  }

  const AttentionShape shape_;
  const Heads<W, const T> heads_;
  T* const y_;
  float* const logSumExp_;
};

template <typename T>
struct CausalAttention {
  explicit CausalAttention(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {}; }

  void compute(Call& call) const {
    const AttentionShape shape = attentionShape(call.shape(0), call.shape(1), call.shape(2), call.shape(3)[0]);
    withWidth(shape.headSize, [&](auto width) {
      const Rotations<width()> rotations(shape, call.input<float>(1), call.input<float>(2));
      const Heads<width(), const T> heads(shape, call.input<T>(0), rotations);
      const HeadGroup<width(), T> group(shape, heads, call.output<T>(0), call.output<float>(1));
      inParallel(shape.batch * shape.keyValueHeads,
                 [&](int64_t part) { group.compute(part / shape.keyValueHeads, part % shape.keyValueHeads); });
    });
  }
};

const Registration registration = Registration::forBothTypes<kOperation, CausalAttention>();

}  // namespace
}  // namespace pretrain
