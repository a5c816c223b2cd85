// Attention of the next few tokens to those before them, whose keys and values are kept: what decoding does at each token. Rotation,
// the new entries of the cache, scores, softmax and the weighted sum in one op; the plain graph needs some forty for a layer, which
// cost more than their arithmetic when there is one token.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "exponential.h"
#include "operation.h"
#include "thread_pool.h"

namespace pretrain {
namespace {

constexpr int64_t kMostTokens = 8; // each reads all places one key after the other; beyond it matrix products win

struct CacheShape {
  int64_t batch, tokens, heads, keyValueHeads, headSize, places;

  int64_t columns() const { return (heads + 2 * keyValueHeads) * headSize; } // of a row of qkv: q heads | k heads | v heads
  int64_t stride() const { return batch * keyValueHeads * headSize; }        // from one place to the next
};

/** @throws InvalidArgument if qkv, the rotations and the cache do not fit together */
CacheShape cacheShape(const std::vector<Dimensions>& in) {
  const Dimensions &qkv = in[0], &cos = in[1], &sin = in[2], &position = in[3], &keys = in[4], &values = in[5];
  expect(qkv.size() == 3 && qkv[1] <= kMostTokens,
         "qkv must be [batch, tokens, (heads + 2 key_value_heads) head_size] of at most ", kMostTokens, " tokens, is ", text(qkv));
  expect(keys.size() == 4 && keys == values, "keys and values must be [places, batch, key_value_heads, head_size], are ", text(keys),
         " and ", text(values));
  expect(keys[1] == qkv[0], "the cache is of ", keys[1], " sequences, qkv of ", qkv[0]);
  expect(keys[2] > 0 && keys[3] > 0 && keys[3] % 2 == 0, "heads come in pairs of numbers, the cache is ", text(keys));
  expect(cos == Dimensions({qkv[1], keys[3] / 2}) && cos == sin, "cos and sin must be [", qkv[1], ",", keys[3] / 2, "], are ", text(cos),
         " and ", text(sin));
  expect(position.empty(), "position must be a scalar, is ", text(position));
  const int64_t heads = qkv[2] / keys[3] - 2 * keys[2];
  expect(qkv[2] % keys[3] == 0 && heads > 0 && heads % keys[2] == 0, "qkv of ", qkv[2], " columns does not hold query heads for ",
         keys[2], " of keys and values of size ", keys[3]);
  return {qkv[0], qkv[1], heads, keys[2], keys[3], keys[0]};
}

const Operation kOperation = {
    "PretrainCachedAttention",
    {},
    {"qkv: float", "cos: float", "sin: float", "position: int32", "keys: float", "values: float"},
    {"read: float", "next_keys: float", "next_values: float"},
    [](const std::vector<Dimensions>& in) -> std::vector<Dimensions> {
      const CacheShape shape = cacheShape(in);
      return {{shape.batch, shape.tokens, shape.heads * shape.headSize}, in[4], in[5]};
    }};

/** Each pair (a, b) as (a cos - b sin, a sin + b cos), times `scale`. */
void turned(const float* from, const float* cos, const float* sin, int64_t pairs, float scale, float* to) {
  for (int64_t pair = 0; pair < pairs; pair++) {
    const float a = scale * from[2 * pair], b = scale * from[2 * pair + 1];
    to[2 * pair] = a * cos[pair] - b * sin[pair];
    to[2 * pair + 1] = a * sin[pair] + b * cos[pair];
  }
}

float product(const float* a, const float* b, int64_t width) {
  Vector total = broadcast(0);
  forColumns(width, [&](auto read, auto, int) { total = fma(read(a), read(b), total); });
  return sum(total);
}

/** Scores, in units of log 2, become weights that sum to 1. @param scores room for `count` rounded up to sixteen */
void softmax(float* scores, int64_t count) {
  std::fill(scores + count, scores + (count + kLanes - 1) / kLanes * kLanes, -1e30f);
  Vector highest = broadcast(-1e30f), total = broadcast(0);
  for (int64_t at = 0; at < count; at += kLanes) highest = larger(load(scores + at), highest);
  const Vector most = broadcast(maximum(highest));
  for (int64_t at = 0; at < count; at += kLanes) {
    const int64_t real = std::min<int64_t>(kLanes, count - at);
    const Vector weight = firstLanes(static_cast<int>(real), powerOfTwo(load(scores + at) - most));
    total = total + weight;
    store(scores + at, weight);
  }
  const Vector share = broadcast(1 / sum(total));
  for (int64_t at = 0; at < count; at += kLanes) store(scores + at, load(scores + at) * share);
}

struct CachedAttention {
  explicit CachedAttention(const Attributes&) {}
  static std::vector<std::vector<int>> reusable() { return {{}, {4}, {5}}; }

  void compute(Call& call) const {
    const CacheShape shape = cacheShape(call.shapes());
    const int64_t position = *call.input<int32_t>(3);
    expect(position >= 0 && position + shape.tokens <= shape.places, shape.tokens, " tokens from position ", position, " on do not fit into ",
           shape.places, " places");
    const auto copied = [&](int input, int output) {
      const float* from = call.input<float>(input);
      if (from != call.output<float>(output)) std::memcpy(call.output<float>(output), from, elements(call.shape(input)) * sizeof(float));
    };
    inParallel(2, [&](int64_t which) { copied(4 + which, 1 + which); });
    inParallel(shape.batch * shape.keyValueHeads, [&](int64_t index) {
      ofKeyValueHead(call, shape, position, index / shape.keyValueHeads, index % shape.keyValueHeads);
    });
  }

  void ofKeyValueHead(Call& call, const CacheShape& shape, int64_t position, int64_t batch, int64_t keyValueHead) const {
    const int64_t size = shape.headSize, group = shape.heads / shape.keyValueHeads;
    const float *cos = call.input<float>(1), *sin = call.input<float>(2);
    const int64_t entry = (batch * shape.keyValueHeads + keyValueHead) * size;
    float *keys = call.output<float>(1) + entry, *values = call.output<float>(2) + entry;
    const auto row = [&](int64_t token) { return call.input<float>(0) + (batch * shape.tokens + token) * shape.columns(); };
    for (int64_t token = 0; token < shape.tokens; token++) {
      const float* key = row(token) + (shape.heads + keyValueHead) * size;
      const int64_t place = (position + token) * shape.stride();
      turned(key, cos + token * size / 2, sin + token * size / 2, size / 2, 1, keys + place);
      std::memcpy(values + place, key + shape.keyValueHeads * size, size * sizeof(float));
    }
    const float scale = kLog2E / std::sqrt(static_cast<float>(size));
    std::vector<float> query(size), scores(shape.places + kLanes);
    for (int64_t token = 0; token < shape.tokens; token++) {
      for (int64_t head = keyValueHead * group; head < (keyValueHead + 1) * group; head++) {
        turned(row(token) + head * size, cos + token * size / 2, sin + token * size / 2, size / 2, scale, query.data());
        const int64_t seen = position + token + 1;
        for (int64_t place = 0; place < seen; place++) scores[place] = product(query.data(), keys + place * shape.stride(), size);
        softmax(scores.data(), seen);
        float* read = call.output<float>(0) + ((batch * shape.tokens + token) * shape.heads + head) * size;
        forColumns(size, [&](auto load, auto store, int) {
          Vector total = broadcast(0);
          for (int64_t place = 0; place < seen; place++) {
            total = fma(broadcast(scores[place]), load(values + place * shape.stride()), total);
          }
          store(read, total);
        });
      }
    }
  }
};

const Registration registration = Registration::forFloat<kOperation, CachedAttention>();

}  // namespace
}  // namespace pretrain
