// Where the heads lie in qkv = q heads | k heads | v heads, read into pieces and written back, with the rotation on the way.
#pragma once

#include "attention_shape.h"
#include "attention_tile.h"

namespace pretrain {

/** @tparam T const or not: qkv, or its gradient to be written */
template <int W, typename T>
class Heads {
 public:
  Heads(const AttentionShape& shape, T* qkv, const float* cos, const float* sin)
      : shape_(shape), qkv_(qkv), cos_(cos), sin_(sin) {}

  void readQuery(int64_t batch, int64_t position, int64_t head, float scale, float* row) const {
    readRow<W>(query(batch, position, head), shape_.headSize, scale, row);
    turn(row, position, 1);
  }

  /** All keys and values of a head, each [sequence rounded up to 16][W]. */
  void readKeysAndValues(int64_t batch, int64_t keyValueHead, float* keys, float* values) const {
    for (int64_t position = 0; position < shape_.sequence; position++, keys += W, values += W) {
      readRow<W>(key(batch, position, keyValueHead), shape_.headSize, 1, keys);
      turn(keys, position, 1);
      readRow<W>(value(batch, position, keyValueHead), shape_.headSize, 1, values);
    }
    const int64_t missing = roundedUp(shape_.sequence, kTile) - shape_.sequence;
    clear(keys, missing * W);
    clear(values, missing * W);
  }

  /** The row is turned back in place: it is a gradient for what the rotation gave. */
  void writeQuery(int64_t batch, int64_t position, int64_t head, float* row) const {
    turn(row, position, -1);
    writeRow(query(batch, position, head), shape_.headSize, row);
  }

  /** As writeQuery. @param scale of the keys */
  void writeKeysAndValues(int64_t batch, int64_t keyValueHead, float scale, float* keys, const float* values) const {
    for (int64_t position = 0; position < shape_.sequence; position++, keys += W, values += W) {
      for (int d = 0; d < W; d++) keys[d] *= scale;
      turn(keys, position, -1);
      writeRow(key(batch, position, keyValueHead), shape_.headSize, keys);
      writeRow(value(batch, position, keyValueHead), shape_.headSize, values);
    }
  }

 private:
  T* query(int64_t batch, int64_t position, int64_t head) const {
    return qkv_ + (batch * shape_.sequence + position) * shape_.width() + head * shape_.headSize;
  }
  T* key(int64_t batch, int64_t position, int64_t head) const { return query(batch, position, shape_.heads + head); }
  T* value(int64_t batch, int64_t position, int64_t head) const {
    return query(batch, position, shape_.heads + shape_.keyValueHeads + head);
  }

  /** Each pair (a, b) becomes (a cos - b sin, a sin + b cos); `direction` -1 turns back. */
  void turn(float* row, int64_t position, float direction) const {
    const int64_t pairs = shape_.headSize / 2;
    const float *cos = cos_ + position * pairs, *sin = sin_ + position * pairs;
    for (int64_t pair = 0; pair < pairs; pair++) {
      const float a = row[2 * pair], b = row[2 * pair + 1], s = direction * sin[pair];
      row[2 * pair] = a * cos[pair] - b * s;
      row[2 * pair + 1] = a * s + b * cos[pair];
    }
  }

  const AttentionShape shape_;
  T* const qkv_;
  const float *const cos_, *const sin_;
};

/** Calls run with the width, a compile-time number, that a head is padded to. */
template <typename Run>
void withWidth(int64_t headSize, Run run) {
  if (headSize <= 16) return run(std::integral_constant<int, 16>());
  if (headSize <= 32) return run(std::integral_constant<int, 32>());
  if (headSize <= 64) return run(std::integral_constant<int, 64>());
  run(std::integral_constant<int, 128>());
}

}  // namespace pretrain
