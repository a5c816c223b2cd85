// Serialized protocol buffers on their way to JavaScript.
#pragma once

#include <napi.h>

#include "tensorflow/c/tf_buffer.h"

namespace tensor_graph {

inline Napi::Value BytesOf(Napi::Env env, const TF_Buffer* buffer) {
  return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(buffer->data), buffer->length);
}

}  // namespace tensor_graph
