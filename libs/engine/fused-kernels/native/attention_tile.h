// The products of attention over small pieces that stay in the first-level cache.
//
// A tile is sixteen consecutive queries of one head, one to a lane, so that the softmax's maximum, sum and scaling are lane by
// lane. Pieces are stored as
//
//     rows      [n][W]   a position's head, as numbers beside each other: keys, values, and the queries for dK and dV
//     columns   [W][16]  the same sixteen queries, one vector for each number of the head
//     scores    [n][16]  a key's vector over the sixteen queries
//
// W is the size of a head rounded up to 16, 32, 64 or 128, zeros behind its end. Numbers of keys are multiples of sixteen:
// the missing ones are zeros and come after every query, so the mask hides them.
#pragma once

#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>

#include "exponential.h"
#include "storage.h"

namespace pretrain {

constexpr int kTile = kLanes;

/** A thread's memory for pieces, kept from one call to the next. */
class Scratch {
 public:
  /** Aligned to a cache line; what was in it is lost when it grows. */
  float* floats(size_t count) {
    if (count > count_) {
      memory_.reset(static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)));
      if (memory_ == nullptr) std::abort();
      count_ = count;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> memory_;
  size_t count_ = 0;
};

inline int64_t roundedUp(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

/** The sixteen vectors that hold, lane by lane, what the sixteen given ones hold vector by vector. */
inline void transpose(Vector (&x)[kTile]) {
  Vector y[kTile];
  for (int i = 0; i < 8; i++) interleave(x[i], x[i + 8], y[2 * i], y[2 * i + 1]);
  for (int i = 0; i < 8; i++) interleave(y[i], y[i + 8], x[2 * i], x[2 * i + 1]);
  for (int i = 0; i < 8; i++) interleave(x[i], x[i + 8], y[2 * i], y[2 * i + 1]);
  for (int i = 0; i < 8; i++) interleave(y[i], y[i + 8], x[2 * i], x[2 * i + 1]);
}

/** [16][W] to [W][16]. */
template <int W>
void columnsOf(const float* rows, float* columns) {
  for (int part = 0; part < W; part += kTile) {
    Vector x[kTile];
    for (int i = 0; i < kTile; i++) x[i] = load(rows + i * W + part);
    transpose(x);
    for (int i = 0; i < kTile; i++) store(columns + (part + i) * kTile, x[i]);
  }
}

/** [W][16] to [16][W]. */
template <int W>
void rowsOf(const float* columns, float* rows) {
  for (int part = 0; part < W; part += kTile) {
    Vector x[kTile];
    for (int i = 0; i < kTile; i++) x[i] = load(columns + (part + i) * kTile);
    transpose(x);
    for (int i = 0; i < kTile; i++) store(rows + i * W + part, x[i]);
  }
}

/** How many keys are worked on at once: their sums stay in registers. */
constexpr int kKeys = kSums / 2 < 4 ? 4 : kSums / 2;

/** Four or eight sums start + Σ_d key[d] query[d] over sixteen queries. */
template <int W>
inline void products(const float* columns, const float* keys, Vector start, Vector (&sums)[kKeys]) {
  for (int i = 0; i < kKeys; i++) sums[i] = start;
#pragma GCC unroll 16
  for (int d = 0; d < W; d++) {
    const Vector query = load(columns + d * kTile);
#pragma GCC unroll 8
    for (int i = 0; i < kKeys; i++) sums[i] = fma(query, broadcast(keys[i * W + d]), sums[i]);
  }
}

/** sums[i] += score row[i]: what the queries gather from one key, kSums numbers of it. */
inline void gather(Vector score, const float* row, Vector (&sums)[kSums]) {
#pragma GCC unroll 16
  for (int i = 0; i < kSums; i++) sums[i] = fma(score, broadcast(row[i]), sums[i]);
}

/** rows[key][…] += Σ_query scores[key][query] queries[query][…]: what `count` keys are given by the sixteen queries. */
template <int W>
void scatter(const float* scores, const float* queries, int count, float* rows) {
  for (int key = 0; key < count; key += kKeys) {
    for (int part = 0; part < W; part += kLanes) {
      Vector sums[kKeys];
      for (int i = 0; i < kKeys; i++) sums[i] = load(rows + (key + i) * W + part);
#pragma GCC unroll 16
      for (int query = 0; query < kTile; query++) {
        const Vector numbers = load(queries + query * W + part);
#pragma GCC unroll 8
        for (int i = 0; i < kKeys; i++) sums[i] = fma(numbers, broadcast(scores[(key + i) * kTile + query]), sums[i]);
      }
      for (int i = 0; i < kKeys; i++) store(rows + (key + i) * W + part, sums[i]);
    }
  }
}

/** A head as it lies in memory, as a row times `scale`, zeros behind its end. */
template <int W, typename T>
void readRow(const T* from, int64_t headSize, float scale, float* row) {
  const Vector scales = broadcast(scale);
  int64_t d = 0;
  for (; d + kLanes <= headSize; d += kLanes) store(row + d, load(from + d) * scales);
  if (d < headSize) store(row + d, loadFirst(from + d, static_cast<int>(headSize - d)) * scales);
  for (d = roundedUp(headSize, kLanes); d < W; d += kLanes) store(row + d, broadcast(0));
}

template <typename T>
void writeRow(T* to, int64_t headSize, const float* row) {
  int64_t d = 0;
  for (; d + kLanes <= headSize; d += kLanes) store(to + d, load(row + d));
  if (d < headSize) storeFirst(to + d, load(row + d), static_cast<int>(headSize - d));
}

template <typename T>
inline void prefetch(const T* from, int64_t count) {
  const char* begin = reinterpret_cast<const char*>(from);
  for (int64_t at = 0; at < count * static_cast<int64_t>(sizeof(T)); at += 64) __builtin_prefetch(begin + at);
}

inline void clear(float* numbers, int64_t count) { std::memset(numbers, 0, static_cast<size_t>(count) * sizeof(float)); }

}  // namespace pretrain
