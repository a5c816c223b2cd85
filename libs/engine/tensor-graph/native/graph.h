// A TensorFlow graph that grows by one operation at a time and becomes a function. TensorFlow itself checks each operation and infers
// its output shapes as it is added.
#pragma once

#include <napi.h>

#include <vector>

#include "status.h"
#include "tensorflow/c/c_api.h"

namespace tensor_graph {

// In JavaScript an output of an operation is its index in the order in which outputs came to be.
class Graph : public Napi::ObjectWrap<Graph> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Graph(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Graph>(info) {}

 private:
  // (name, type, shape, values) → {output, type, shape}; an argument of the function has no values.
  Napi::Value AddConstant(const Napi::CallbackInfo& info);
  Napi::Value AddArgument(const Napi::CallbackInfo& info);
  // (type, name, attributes, inputs, controlInputs) → [{output, type, shape | undefined}]. An input that is an array is a list. An
  // operation without outputs is one entry that has neither type nor shape, so that it can be named as a side effect.
  Napi::Value AddOperation(const Napi::CallbackInfo& info);
  // (output, shape): what TensorFlow cannot know, such as the shape of a variable.
  void SetShape(const Napi::CallbackInfo& info);
  // (type) → bytes of the OpDef that TensorFlow has registered for it
  Napi::Value Definition(const Napi::CallbackInfo& info);
  // (functionName, argumentOutputs, resultOutputs, sideEffectOutputs, attributesByName) → bytes of a FunctionDef.
  Napi::Value ToFunction(const Napi::CallbackInfo& info);

  TF_Output output(Napi::Value index) const;
  std::vector<TF_Output> outputs(Napi::Array indices) const;
  Napi::Array OnlyEffect(Napi::Env env, TF_Operation* operation);
  Napi::Object Describe(Napi::Env env, TF_Output output);

  Owned<TF_Graph, TF_DeleteGraph> graph_{TF_NewGraph()};
  std::vector<TF_Output> outputs_;
};

}  // namespace tensor_graph
