// Where the heads lie in qkv = q heads | k heads | v heads, read into pieces and written back, with the rotation on the way.
#pragma once

#include <algorithm>

#include "attention_shape.h"
#include "attention_tile.h"

namespace pretrain {

/**
 * The rotations of all positions, [sequence][W] each, laid out to be multiplied with whole rows: (a, b) becomes
 * (a cos - b sin, a sin + b cos), which is the row times (cos, cos) and the row with a and b exchanged times (-sin, sin).
 */
template <int W>
class Rotations {
 public:
  Rotations(const AttentionShape& shape, const float* cos, const float* sin)
      : cos_(shape.sequence * W), sin_(shape.sequence * W) {
    const int64_t pairs = shape.headSize / 2;
    for (int64_t position = 0; position < shape.sequence; position++) {
      for (int64_t pair = 0; pair < pairs; pair++) {
        const int64_t to = position * W + 2 * pair, from = position * pairs + pair;
        cos_[to] = cos_[to + 1] = cos[from];
        sin_[to] = -sin[from];
        sin_[to + 1] = sin[from];
      }
    }
  }

  void turn(float* row, int64_t position) const {
    for (int64_t d = 0; d < W; d += kLanes) {
      const Vector numbers = load(row + d), cos = load(cos_.data() + position * W + d), sin = load(sin_.data() + position * W + d);
      store(row + d, fma(numbers, cos, exchanged(numbers) * sin));
    }
  }

  void turnBack(float* row, int64_t position) const {
    for (int64_t d = 0; d < W; d += kLanes) {
      const Vector numbers = load(row + d), cos = load(cos_.data() + position * W + d), sin = load(sin_.data() + position * W + d);
      store(row + d, numbers * cos - exchanged(numbers) * sin);
    }
  }

 private:
  std::vector<float> cos_, sin_;
};

/** @tparam T const or not: qkv, or its gradient to be written */
template <int W, typename T>
class Heads {
 public:
  Heads(const AttentionShape& shape, T* qkv, const Rotations<W>& rotations)
      : shape_(shape), qkv_(qkv), rotations_(rotations) {}

  void readQuery(int64_t batch, int64_t position, int64_t head, float scale, float* row) const {
    readRow<W>(query(batch, position, head), shape_.headSize, scale, row);
    rotations_.turn(row, position);
  }

  /** Asks for the sixteen queries from `first` on, which lie too far apart for the processor to foresee. */
  void prefetchQueries(int64_t batch, int64_t first, int64_t head) const {
    for (int64_t position = first; position < std::min(first + kTile, shape_.sequence); position++) {
      prefetch(query(batch, position, head), shape_.headSize);
    }
  }

  /** All keys and values of a head, each [sequence rounded up to 16][W]. */
  void readKeysAndValues(int64_t batch, int64_t keyValueHead, float* keys, float* values) const {
    for (int64_t position = 0; position < shape_.sequence; position++, keys += W, values += W) {
      readRow<W>(key(batch, position, keyValueHead), shape_.headSize, 1, keys);
      rotations_.turn(keys, position);
      readRow<W>(value(batch, position, keyValueHead), shape_.headSize, 1, values);
    }
    const int64_t missing = roundedUp(shape_.sequence, kTile) - shape_.sequence;
    clear(keys, missing * W);
    clear(values, missing * W);
  }

  /** The row is turned back in place: it is a gradient for what the rotation gave. */
  void writeQuery(int64_t batch, int64_t position, int64_t head, float* row) const {
    rotations_.turnBack(row, position);
    writeRow(query(batch, position, head), shape_.headSize, row);
  }

  /** As writeQuery. @param scale of the keys */
  void writeKeysAndValues(int64_t batch, int64_t keyValueHead, float scale, float* keys, const float* values) const {
    for (int64_t position = 0; position < shape_.sequence; position++, keys += W, values += W) {
      for (int d = 0; d < W; d++) keys[d] *= scale;
      rotations_.turnBack(keys, position);
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

  const AttentionShape shape_;
  T* const qkv_;
  const Rotations<W>& rotations_;
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
