// Where functions are registered and run: an eager context of TensorFlow's C API, and the values that live in it.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "status.h"
#include "tensorflow/c/eager/c_api.h"

namespace tensor_graph {

using Context = Owned<TFE_Context, TFE_DeleteContext>;
using OwnedHandle = Owned<TFE_TensorHandle, TFE_DeleteTensorHandle>;

// A value on a device. `dispose()` frees it at once, the garbage collector some day.
class DeviceValue : public Napi::ObjectWrap<DeviceValue> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit DeviceValue(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceValue>(info) {}

  void hold(OwnedHandle handle) { handle_ = std::move(handle); }
  // Throws when it has been disposed of.
  TFE_TensorHandle* handle(Napi::Env env) const;

 private:
  Napi::Value Read(const Napi::CallbackInfo& info);
  // (typed array)
  void CopyTo(const Napi::CallbackInfo& info);
  void Dispose(const Napi::CallbackInfo& info);

  OwnedHandle handle_;
};

class Runtime : public Napi::ObjectWrap<Runtime> {
 public:
  static Napi::Function Define(Napi::Env env);
  // (): of all devices there are; operations run on the first GPU, or on the CPU.
  explicit Runtime(const Napi::CallbackInfo& info);

 private:
  // (bytes of a FunctionDef)
  void AddFunction(const Napi::CallbackInfo& info);
  // (type, shape, values) → DeviceValue
  Napi::Value NewValue(const Napi::CallbackInfo& info);
  // (operation or function name, attributes, inputs, outputCount) → [DeviceValue]
  Napi::Value Execute(const Napi::CallbackInfo& info);

  Napi::Value Wrap(Napi::Env env, OwnedHandle handle) const;

  Context context_;
  std::string device_;
};

}  // namespace tensor_graph
