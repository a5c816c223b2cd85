// What TensorFlow's C API reports as a status, as the exception that JavaScript sees.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "tensorflow/c/tf_status.h"

namespace tensor_graph {

// Frees what the C API made, with the function that the C API has for it.
template <typename T, void (*Delete)(T*)>
struct Deleter {
  void operator()(T* pointer) const { Delete(pointer); }
};

template <typename T, void (*Delete)(T*)>
using Owned = std::unique_ptr<T, Deleter<T, Delete>>;

class Status {
 public:
  TF_Status* get() const { return status_.get(); }

  // Throws a JavaScript error with TensorFlow's own words if the last call failed.
  void check(Napi::Env env) const {
    if (TF_GetCode(get()) == TF_OK) return;
    Napi::Error error = Napi::Error::New(env, TF_Message(get()));
    error.Set("code", Napi::Number::New(env, TF_GetCode(get())));
    throw error;
  }

 private:
  Owned<TF_Status, TF_DeleteStatus> status_{TF_NewStatus()};
};

}  // namespace tensor_graph
