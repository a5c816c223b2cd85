#include "tensor.h"

#include <cstring>
#include <string>
#include <vector>

namespace tensor_graph {

std::vector<int64_t> ShapeOf(Napi::Array shape) {
  std::vector<int64_t> lengths(shape.Length());
  for (uint32_t axis = 0; axis < shape.Length(); ++axis) lengths[axis] = shape.Get(axis).As<Napi::Number>().Int64Value();
  return lengths;
}

Napi::Array ShapeArray(Napi::Env env, const std::vector<int64_t>& shape) {
  Napi::Array array = Napi::Array::New(env, shape.size());
  for (uint32_t axis = 0; axis < shape.size(); ++axis) array.Set(axis, Napi::Number::New(env, static_cast<double>(shape[axis])));
  return array;
}

OwnedTensor TensorOf(Napi::Env env, TF_DataType type, Napi::Array shape, Napi::TypedArray values) {
  const std::vector<int64_t> lengths = ShapeOf(shape);
  size_t bytes = TF_DataTypeSize(type);
  for (const int64_t length : lengths) bytes *= static_cast<size_t>(length);
  if (bytes != values.ByteLength()) {
    throw Napi::RangeError::New(env, "a tensor of " + std::to_string(bytes) + " bytes is given " + std::to_string(values.ByteLength()));
  }
  OwnedTensor tensor(TF_AllocateTensor(type, lengths.data(), static_cast<int>(lengths.size()), bytes));
  const char* data = static_cast<const char*>(values.ArrayBuffer().Data()) + values.ByteOffset();
  if (bytes > 0) std::memcpy(TF_TensorData(tensor.get()), data, bytes);
  return tensor;
}

Napi::Value ValuesOf(Napi::Env env, const TF_Tensor* tensor) {
  const size_t bytes = TF_TensorByteSize(tensor);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(buffer.Data(), TF_TensorData(tensor), bytes);
  switch (TF_TensorType(tensor)) {
    case TF_FLOAT:
      return Napi::Float32Array::New(env, bytes / 4, buffer, 0);
    case TF_INT32:
      return Napi::Int32Array::New(env, bytes / 4, buffer, 0);
    case TF_BOOL:
      return Napi::Uint8Array::New(env, bytes, buffer, 0);
    case TF_BFLOAT16:
      return Napi::Uint16Array::New(env, bytes / 2, buffer, 0);
    default:
      throw Napi::TypeError::New(env, "tensors of type " + std::to_string(TF_TensorType(tensor)) + " cannot be read");
  }
}

void CopyValues(Napi::Env env, const TF_Tensor* tensor, Napi::TypedArray destination) {
  const size_t bytes = TF_TensorByteSize(tensor);
  if (bytes != destination.ByteLength()) {
    const std::string found = std::to_string(destination.ByteLength());
    throw Napi::RangeError::New(env, "an array of " + found + " bytes is to hold " + std::to_string(bytes));
  }
  // Not through Napi::ArrayBuffer, which refuses shared memory.
  void* data = nullptr;
  if (napi_get_typedarray_info(env, destination, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok) throw Napi::Error::New(env);
  if (bytes > 0) std::memcpy(data, TF_TensorData(tensor), bytes);
}

}  // namespace tensor_graph
