// The addon `tensor_graph`: TensorFlow's C API as far as tracing and running need it.
#include "addon.h"

#include <napi.h>

#include <string>

#include "after_operation.h"
#include "graph.h"
#include "profile.h"
#include "runtime.h"
#include "status.h"
#include "tensorflow/c/c_api.h"

namespace tensor_graph {
namespace {

// (path): registers the operations of a shared library for the rest of the process.
void LoadOperations(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  const Status status;
  TF_Library* library = TF_LoadLibrary(path.c_str(), status.get());
  status.check(info.Env());
  TF_DeleteLibraryHandle(library);  // the library stays loaded
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  RegisterAfterOperation();
  const Napi::Function value = DeviceValue::Define(env);
  env.SetInstanceData(new Classes{Napi::Persistent(value)});
  exports.Set("Graph", Graph::Define(env));
  exports.Set("Runtime", Runtime::Define(env));
  exports.Set("loadOperations", Napi::Function::New(env, LoadOperations, "loadOperations"));
  exports.Set("profile", Napi::Function::New(env, Profile, "profile"));
  exports.Set("tensorflowVersion", Napi::String::New(env, TF_Version()));
  return exports;
}

NODE_API_MODULE(tensor_graph, Initialize)

}  // namespace
}  // namespace tensor_graph
