// The sizes of causal attention, shared by the op and its gradient.
#pragma once

#include "operation.h"

namespace pretrain {

/** Largest size of a head that the kernels are compiled for. */
constexpr int64_t kMaxHeadSize = 128;

struct AttentionShape {
  int64_t batch, sequence, heads, keyValueHeads, headSize;

  int64_t group() const { return heads / keyValueHeads; } // query heads that read the same keys and values
  int64_t width() const { return (heads + 2 * keyValueHeads) * headSize; } // of a row of qkv: q heads | k heads | v heads
};

/** @throws InvalidArgument if qkv does not hold `heads` query heads and, of the size that cos and sin say, keys and values for them */
inline AttentionShape attentionShape(const Dimensions& qkv, const Dimensions& cos, const Dimensions& sin, int64_t heads) {
  expect(qkv.size() == 3, "qkv must be [batch, sequence, (heads + 2 key_value_heads) head_size], is ", text(qkv));
  expect(cos.size() == 2 && cos == sin, "cos and sin must be [sequence, head_size / 2], are ", text(cos), " and ", text(sin));
  expect(cos[0] == qkv[1], "cos and sin are of ", cos[0], " positions, qkv of ", qkv[1]);
  const int64_t size = 2 * cos[1];
  expect(size > 0 && size % 8 == 0 && size <= kMaxHeadSize, "head_size must be a multiple of 8 up to 128, is ", size);
  const int64_t keyValueHeads = (qkv[2] / size - heads) / 2;
  expect(heads > 0 && keyValueHeads > 0 && (heads + 2 * keyValueHeads) * size == qkv[2] && heads % keyValueHeads == 0,
         "qkv of ", qkv[2], " columns does not hold ", heads, " query heads of size ", size, " and keys and values for them");
  return {qkv[0], qkv[1], heads, keyValueHeads, size};
}

}  // namespace pretrain
