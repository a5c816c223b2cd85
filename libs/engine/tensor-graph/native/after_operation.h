// An operation of our own: `x`, but not before `other` is computed.
#pragma once

namespace tensor_graph {

// Registers `TensorGraphAfter(x: T, other: U) → after: T` with TensorFlow, once in a process. Its kernel hands on what it is given,
// without a copy. TensorFlow's optimizer knows nothing of it: it neither merges what is computed from `after` with what is computed
// from `x`, as it does behind an Identity, nor loses the order, as it does with control edges when it rewrites where they come from.
void RegisterAfterOperation();

}  // namespace tensor_graph
