#include "runtime.h"

#include <cstring>
#include <vector>

#include "addon.h"
#include "attributes.h"
#include "tensor.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api_experimental.h"

namespace tensor_graph {

Napi::Function DeviceValue::Define(Napi::Env env) {
  return DefineClass(env, "DeviceValue", {InstanceMethod<&DeviceValue::Read>("read"), InstanceMethod<&DeviceValue::CopyTo>("copyTo"),
                                          InstanceMethod<&DeviceValue::Dispose>("dispose")});
}

TFE_TensorHandle* DeviceValue::handle(Napi::Env env) const {
  if (handle_ == nullptr) throw Napi::Error::New(env, "the value has been disposed of");
  return handle_.get();
}

Napi::Value DeviceValue::Read(const Napi::CallbackInfo& info) {
  const Status status;
  const OwnedTensor tensor(TFE_TensorHandleResolve(handle(info.Env()), status.get()));
  status.check(info.Env());
  return ValuesOf(info.Env(), tensor.get());
}

void DeviceValue::CopyTo(const Napi::CallbackInfo& info) {
  const Status status;
  const OwnedTensor tensor(TFE_TensorHandleResolve(handle(info.Env()), status.get()));
  status.check(info.Env());
  CopyValues(info.Env(), tensor.get(), info[0].As<Napi::TypedArray>());
}

void DeviceValue::Dispose(const Napi::CallbackInfo&) { handle_.reset(); }

Napi::Function Runtime::Define(Napi::Env env) {
  return DefineClass(env, "Runtime",
                     {InstanceMethod<&Runtime::AddFunction>("addFunction"),
                      InstanceMethod<&Runtime::NewValue>("newValue"), InstanceMethod<&Runtime::Execute>("execute")});
}

Runtime::Runtime(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Runtime>(info) {
  const Status status;
  const Owned<TFE_ContextOptions, TFE_DeleteContextOptions> options(TFE_NewContextOptions());
  context_.reset(TFE_NewContext(options.get(), status.get()));
  status.check(info.Env());
  // On a GPU some operations have no kernel, or want what they read (lengths, axes) in the host's memory.
  TFE_ContextSetSoftDevicePlacement(context_.get(), 1, status.get());
  status.check(info.Env());
  const Owned<TF_DeviceList, TF_DeleteDeviceList> devices(TFE_ContextListDevices(context_.get(), status.get()));
  status.check(info.Env());
  for (int index = 0; index < TF_DeviceListCount(devices.get()); ++index) {
    const char* type = TF_DeviceListType(devices.get(), index, status.get());
    status.check(info.Env());
    if (std::strcmp(type, "GPU") != 0) continue;
    device_ = TF_DeviceListName(devices.get(), index, status.get());
    status.check(info.Env());
    break;
  }
}

void Runtime::AddFunction(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array definition = info[0].As<Napi::Uint8Array>();
  const Status status;
  TFE_ContextAddFunctionDef(context_.get(), reinterpret_cast<const char*>(definition.Data()), definition.ByteLength(), status.get());
  status.check(info.Env());
}

Napi::Value Runtime::NewValue(const Napi::CallbackInfo& info) {
  const auto type = static_cast<TF_DataType>(info[0].As<Napi::Number>().Int32Value());
  const OwnedTensor tensor = TensorOf(info.Env(), type, info[1].As<Napi::Array>(), info[2].As<Napi::TypedArray>());
  const Status status;
  OwnedHandle handle(TFE_NewTensorHandle(tensor.get(), status.get()));
  status.check(info.Env());
  return Wrap(info.Env(), std::move(handle));
}

Napi::Value Runtime::Execute(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const Napi::Array inputs = info[2].As<Napi::Array>();
  const Status status;
  const Owned<TFE_Op, TFE_DeleteOp> operation(TFE_NewOp(context_.get(), name.c_str(), status.get()));
  status.check(info.Env());
  if (!device_.empty()) {
    TFE_OpSetDevice(operation.get(), device_.c_str(), status.get());
    status.check(info.Env());
  }
  SetAttributes(info[1].As<Napi::Array>(), operation.get());
  for (uint32_t index = 0; index < inputs.Length(); ++index) {
    const DeviceValue* input = DeviceValue::Unwrap(inputs.Get(index).As<Napi::Object>());
    TFE_OpAddInput(operation.get(), input->handle(info.Env()), status.get());
    status.check(info.Env());
  }
  int count = info[3].As<Napi::Number>().Int32Value();
  std::vector<TFE_TensorHandle*> results(count, nullptr);
  TFE_Execute(operation.get(), results.data(), &count, status.get());
  status.check(info.Env());
  Napi::Array values = Napi::Array::New(info.Env(), count);
  for (int index = 0; index < count; ++index) values.Set(index, Wrap(info.Env(), OwnedHandle(results[index])));
  return values;
}

Napi::Value Runtime::Wrap(Napi::Env env, OwnedHandle handle) const {
  Napi::Object value = env.GetInstanceData<Classes>()->value.New({});
  DeviceValue::Unwrap(value)->hold(std::move(handle));
  return value;
}

}  // namespace tensor_graph
