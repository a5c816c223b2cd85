// Values that cross between JavaScript and TensorFlow: a typed array with a shape on one side, a TF_Tensor on the other.
#pragma once

#include <napi.h>

#include "status.h"
#include "tensorflow/c/tf_tensor.h"

namespace tensor_graph {

using OwnedTensor = Owned<TF_Tensor, TF_DeleteTensor>;

// A copy of `values` (a typed array whose bytes are the elements) as a tensor of `shape`. Throws RangeError when the number of bytes
// is not that of type and shape.
OwnedTensor TensorOf(Napi::Env env, TF_DataType type, Napi::Array shape, Napi::TypedArray values);

// A copy of the tensor's elements: Float32Array, Int32Array, Uint8Array (bool) or Uint16Array (the bits of bfloat16).
Napi::Value ValuesOf(Napi::Env env, const TF_Tensor* tensor);

// Copies the tensor's elements into a typed array, which may lie in memory that threads share. Throws RangeError when it does not have
// the tensor's number of bytes.
void CopyValues(Napi::Env env, const TF_Tensor* tensor, Napi::TypedArray destination);

std::vector<int64_t> ShapeOf(Napi::Array shape);
Napi::Array ShapeArray(Napi::Env env, const std::vector<int64_t>& shape);

}  // namespace tensor_graph
