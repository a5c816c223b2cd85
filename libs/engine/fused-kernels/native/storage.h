// How numbers lie in memory: float, or bfloat16, which is the upper half of one. Arithmetic is in float either way.
#pragma once

#include <cstring>

#include "vector.h"

namespace pretrain {

struct bfloat16 {
  uint16_t bits;
};

inline Vector load(const bfloat16* from) { return loadUpperHalves(&from->bits); }
inline void store(bfloat16* to, Vector x) { storeUpperHalves(&to->bits, x); }

/** The first `count` lanes from memory, 0 in the others. */
template <typename T>
Vector loadFirst(const T* from, int count) {
  T copy[kLanes] = {};
  std::memcpy(copy, from, count * sizeof(T));
  return load(copy);
}

template <typename T>
void storeFirst(T* to, Vector x, int count) {
  T copy[kLanes];
  store(copy, x);
  std::memcpy(to, copy, count * sizeof(T));
}

/**
 * Calls body(index, load, store) for each run of sixteen columns, the last of which may be shorter: `load(row)` gives the
 * columns of a row and 0 behind its end, `store(row, x)` writes those that there are.
 */
template <typename Body>
inline void forColumns(int64_t columns, Body body) {
  int64_t column = 0;
  for (; column + kLanes <= columns; column += kLanes) {
    body([column](const auto* row) { return load(row + column); },
         [column](auto* row, Vector x) { store(row + column, x); }, kLanes);
  }
  const int rest = static_cast<int>(columns - column);
  if (rest > 0) {
    body([column, rest](const auto* row) { return loadFirst(row + column, rest); },
         [column, rest](auto* row, Vector x) { storeFirst(row + column, x, rest); }, rest);
  }
}

}  // namespace pretrain
