// Sixteen floats, as one AVX-512 register or as two of AVX2: the arithmetic of every kernel is written once against this type.
// Which of the two it is, the compiler's flags say; the set-up compiles the library once for each.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace pretrain {

constexpr int kLanes = 16;

#ifdef __AVX512F__

struct Vector {
  __m512 value;
};

/** How many sums of sixteen lanes stay in registers beside what is multiplied into them. */
constexpr int kSums = 16;

inline Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline Vector load(const float* from) { return {_mm512_loadu_ps(from)}; }
inline void store(float* to, Vector x) { _mm512_storeu_ps(to, x.value); }
inline Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.value, b.value)}; }
inline Vector operator-(Vector a, Vector b) { return {_mm512_sub_ps(a.value, b.value)}; }
inline Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.value, b.value)}; }
inline Vector operator/(Vector a, Vector b) { return {_mm512_div_ps(a.value, b.value)}; }
inline Vector larger(Vector a, Vector b) { return {_mm512_max_ps(a.value, b.value)}; }
inline Vector smaller(Vector a, Vector b) { return {_mm512_min_ps(a.value, b.value)}; }
inline Vector root(Vector a) { return {_mm512_sqrt_ps(a.value)}; }

/** a b + c, rounded once. */
inline Vector fma(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.value, b.value, c.value)}; }

/** x 2^n, where `shifted` is n + 1.5 * 2^23, whose lowest bits are the integer n. */
inline Vector timesPowerOfTwo(Vector x, Vector shifted) {
  const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted.value), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x.value), exponent))};
}

/** x in the lanes from `first` on, `otherwise` in those before it. */
inline Vector fromLane(int first, Vector x, Vector otherwise) {
  const __mmask16 mask = first >= kLanes ? 0 : static_cast<__mmask16>(0xffffu << first);
  return {_mm512_mask_mov_ps(otherwise.value, mask, x.value)};
}

inline float sum(Vector x) { return _mm512_reduce_add_ps(x.value); }
inline float maximum(Vector x) { return _mm512_reduce_max_ps(x.value); }

/** The lanes of a and b in turn, a first: the first eight pairs, then the last eight. */
inline void interleave(Vector a, Vector b, Vector& first, Vector& last) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  first = {_mm512_permutex2var_ps(a.value, low, b.value)};
  last = {_mm512_permutex2var_ps(a.value, high, b.value)};
}

/** Neighbours exchanged: (b, a, d, c, …) of (a, b, c, d, …). */
inline Vector exchanged(Vector x) { return {_mm512_permute_ps(x.value, 0xb1)}; }

/** bfloat16 are the upper halves of floats. */
inline Vector loadUpperHalves(const uint16_t* from) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}

/** Rounded to nearest, ties to even; a NaN stays one. */
inline void storeUpperHalves(uint16_t* to, Vector x) {
  const __m512i bits = _mm512_castps_si512(x.value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 isNan = _mm512_cmp_ps_mask(x.value, x.value, _CMP_UNORD_Q);
  const __m512i kept = _mm512_mask_mov_epi32(rounded, isNan, _mm512_set1_epi32(0x7fc00000));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16)));
}

#else

struct Vector {
  __m256 low, high;
};

constexpr int kSums = 4;

inline Vector broadcast(float x) {
  const __m256 all = _mm256_set1_ps(x);
  return {all, all};
}
inline Vector load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
inline void store(float* to, Vector x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + 8, x.high);
}
inline Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
inline Vector operator-(Vector a, Vector b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
inline Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
inline Vector operator/(Vector a, Vector b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
inline Vector larger(Vector a, Vector b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
inline Vector smaller(Vector a, Vector b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
inline Vector root(Vector a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
inline Vector fma(Vector a, Vector b, Vector c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

inline __m256 timesPowerOfTwo(__m256 x, __m256 shifted) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
}
inline Vector timesPowerOfTwo(Vector x, Vector shifted) {
  return {timesPowerOfTwo(x.low, shifted.low), timesPowerOfTwo(x.high, shifted.high)};
}

inline __m256 fromLane(int first, __m256 x, __m256 otherwise) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32(first), lanes);
  return _mm256_blendv_ps(x, otherwise, _mm256_castsi256_ps(before));
}
inline Vector fromLane(int first, Vector x, Vector otherwise) {
  return {fromLane(first, x.low, otherwise.low), fromLane(first - 8, x.high, otherwise.high)};
}

inline float sum(Vector x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float maximum(Vector x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

inline Vector interleaved(__m256 a, __m256 b) {
  const __m256 low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
  return {_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31)};
}
inline void interleave(Vector a, Vector b, Vector& first, Vector& last) {
  first = interleaved(a.low, b.low);
  last = interleaved(a.high, b.high);
}

inline Vector exchanged(Vector x) { return {_mm256_permute_ps(x.low, 0xb1), _mm256_permute_ps(x.high, 0xb1)}; }

inline __m256 fromUpperHalves(__m128i halves) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
inline Vector loadUpperHalves(const uint16_t* from) {
  const __m128i* halves = reinterpret_cast<const __m128i*>(from);
  return {fromUpperHalves(_mm_loadu_si128(halves)), fromUpperHalves(_mm_loadu_si128(halves + 1))};
}

inline __m256i roundedUpperHalves(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256 isNan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  const __m256 quiet = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
  return _mm256_srli_epi32(_mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(rounded), quiet, isNan)), 16);
}
inline void storeUpperHalves(uint16_t* to, Vector x) {
  const __m256i packed = _mm256_packus_epi32(roundedUpperHalves(x.low), roundedUpperHalves(x.high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute4x64_epi64(packed, 0xd8));
}

#endif

/** 0 in the lanes from `count` on. */
inline Vector firstLanes(int count, Vector x) { return fromLane(count, broadcast(0), x); }

}  // namespace pretrain
