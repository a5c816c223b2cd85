// e^x and 2^x by a polynomial. Relative error at most 1e-7, checked over the whole range by the tests through every op.
#pragma once

#include "vector.h"

namespace pretrain {

constexpr float kLog2E = 1.44269504f, kLn2 = 0.693147181f;

/**
 * 2^x = 2^n 2^f with n the nearest integer and f in [-1/2, 1/2]. Adding 1.5 * 2^23 rounds to n and leaves it in the lowest
 * bits. Below -126, where floats lose digits, it stays at 2^-126. The coefficients are the minimax polynomial of degree 6 for the
 * relative error, 1.9e-9 before rounding (Remez's exchange).
 *
 * @param x at most 127, or not a number, which it stays
 */
inline Vector powerOfTwoUpTo127(Vector x) {
  const Vector shift = broadcast(12582912.0f);
  const Vector inRange = larger(broadcast(-126.0f), x); // in this order a NaN stays one
  const Vector shifted = inRange + shift;
  const Vector f = inRange - (shifted - shift);
  Vector power = broadcast(0x1.41d334p-13f);
  power = fma(power, f, broadcast(0x1.5f456ap-10f));
  power = fma(power, f, broadcast(0x1.3b2dbcp-7f));
  power = fma(power, f, broadcast(0x1.c6aed4p-5f));
  power = fma(power, f, broadcast(0x1.ebfbdap-3f));
  power = fma(power, f, broadcast(0x1.62e430p-1f));
  power = fma(power, f, broadcast(1.0f));
  return timesPowerOfTwo(power, shifted);
}

/** The same, and 2^127 above 127. */
inline Vector powerOfTwo(Vector x) { return powerOfTwoUpTo127(smaller(broadcast(127.0f), x)); }

/** σ(x) = 1 / (1 + e^-x). What rounding takes from x log2(e), up to 4e-6 at the ends, is given back to the power. */
inline Vector logistic(Vector x) {
  const Vector scale = broadcast(-kLog2E), rest = broadcast(-1.92596299e-8f); // together -log2(e) to 48 bits
  const Vector product = x * scale;
  const Vector error = fma(x, rest, fma(x, scale, broadcast(0) - product));
  return broadcast(1.0f) / (broadcast(1.0f) + powerOfTwo(product) * fma(error, broadcast(kLn2), broadcast(1.0f)));
}

}  // namespace pretrain
