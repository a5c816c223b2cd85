#include "graph.h"

#include <memory>
#include <string>

#include "attributes.h"
#include "buffer.h"
#include "tensor.h"

namespace tensor_graph {
namespace {

// An operation that is given up half-way has to be finished all the same: the C API frees a description in no other way.
struct Abandon {
  void operator()(TF_OperationDescription* description) const { TF_FinishOperation(description, Status().get()); }
};
using Description = std::unique_ptr<TF_OperationDescription, Abandon>;

}  // namespace

Napi::Function Graph::Define(Napi::Env env) {
  return DefineClass(env, "Graph",
                     {InstanceMethod<&Graph::AddConstant>("addConstant"), InstanceMethod<&Graph::AddArgument>("addArgument"),
                      InstanceMethod<&Graph::AddOperation>("addOperation"), InstanceMethod<&Graph::SetShape>("setShape"),
                      InstanceMethod<&Graph::Definition>("definition"), InstanceMethod<&Graph::ToFunction>("toFunction")});
}

Napi::Value Graph::AddConstant(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const auto type = static_cast<TF_DataType>(info[1].As<Napi::Number>().Int32Value());
  const OwnedTensor value = TensorOf(info.Env(), type, info[2].As<Napi::Array>(), info[3].As<Napi::TypedArray>());
  const Status status;
  Description description(TF_NewOperation(graph_.get(), "Const", name.c_str()));
  TF_SetAttrTensor(description.get(), "value", value.get(), status.get());
  status.check(info.Env());
  TF_SetAttrType(description.get(), "dtype", type);
  TF_Operation* operation = TF_FinishOperation(description.release(), status.get());
  status.check(info.Env());
  return Describe(info.Env(), {operation, 0});
}

Napi::Value Graph::AddArgument(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const std::vector<int64_t> shape = ShapeOf(info[2].As<Napi::Array>());
  const Status status;
  TF_OperationDescription* description = TF_NewOperation(graph_.get(), "Placeholder", name.c_str());
  TF_SetAttrType(description, "dtype", static_cast<TF_DataType>(info[1].As<Napi::Number>().Int32Value()));
  TF_SetAttrShape(description, "shape", shape.data(), static_cast<int>(shape.size()));
  TF_Operation* operation = TF_FinishOperation(description, status.get());
  status.check(info.Env());
  return Describe(info.Env(), {operation, 0});
}

Napi::Value Graph::AddOperation(const Napi::CallbackInfo& info) {
  const std::string type = info[0].As<Napi::String>();
  const std::string name = info[1].As<Napi::String>();
  const Napi::Array inputs = info[3].As<Napi::Array>();
  const Status status;
  Description description(TF_NewOperation(graph_.get(), type.c_str(), name.c_str()));
  for (uint32_t index = 0; index < inputs.Length(); ++index) {
    const Napi::Value input = inputs.Get(index);
    if (input.IsArray()) {
      const std::vector<TF_Output> list = outputs(input.As<Napi::Array>());
      TF_AddInputList(description.get(), list.data(), static_cast<int>(list.size()));
    } else {
      TF_AddInput(description.get(), output(input));
    }
  }
  for (const TF_Output& control : outputs(info[4].As<Napi::Array>())) TF_AddControlInput(description.get(), control.oper);
  SetAttributes(info[2].As<Napi::Array>(), description.get());
  TF_Operation* operation = TF_FinishOperation(description.release(), status.get());
  status.check(info.Env());
  const int count = TF_OperationNumOutputs(operation);
  if (count == 0) return OnlyEffect(info.Env(), operation);
  Napi::Array described = Napi::Array::New(info.Env(), count);
  for (int index = 0; index < count; ++index) described.Set(index, Describe(info.Env(), {operation, index}));
  return described;
}

void Graph::SetShape(const Napi::CallbackInfo& info) {
  const std::vector<int64_t> shape = ShapeOf(info[1].As<Napi::Array>());
  const Status status;
  TF_GraphSetTensorShape(graph_.get(), output(info[0]), shape.data(), static_cast<int>(shape.size()), status.get());
  status.check(info.Env());
}

Napi::Value Graph::Definition(const Napi::CallbackInfo& info) {
  const std::string type = info[0].As<Napi::String>();
  const Status status;
  const Owned<TF_Buffer, TF_DeleteBuffer> definition(TF_NewBuffer());
  TF_GraphGetOpDef(graph_.get(), type.c_str(), definition.get(), status.get());
  status.check(info.Env());
  return BytesOf(info.Env(), definition.get());
}

Napi::Value Graph::ToFunction(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const std::vector<TF_Output> arguments = outputs(info[1].As<Napi::Array>());
  const std::vector<TF_Output> results = outputs(info[2].As<Napi::Array>());
  std::vector<TF_Operation*> effects;
  for (const TF_Output& effect : outputs(info[3].As<Napi::Array>())) effects.push_back(effect.oper);
  const Status status;
  const Owned<TF_Function, TF_DeleteFunction> function(TF_GraphToFunctionWithControlOutputs(
      graph_.get(), name.c_str(), /*append_hash_to_fn_name=*/0, /*num_opers=*/-1, /*opers=*/nullptr,
      static_cast<int>(arguments.size()), arguments.data(), static_cast<int>(results.size()), results.data(),
      /*output_names=*/nullptr, static_cast<int>(effects.size()), effects.data(), /*control_output_names=*/nullptr,
      /*opts=*/nullptr, /*description=*/nullptr, status.get()));
  status.check(info.Env());
  const Napi::Object attributes = info[4].As<Napi::Object>();
  for (const auto& [key, value] : attributes) {
    const std::string attribute = key.As<Napi::String>();
    const Napi::Uint8Array bytes = static_cast<Napi::Value>(value).As<Napi::Uint8Array>();
    TF_FunctionSetAttrValueProto(function.get(), attribute.c_str(), bytes.Data(), bytes.ByteLength(), status.get());
    status.check(info.Env());
  }
  const Owned<TF_Buffer, TF_DeleteBuffer> definition(TF_NewBuffer());
  TF_FunctionToFunctionDef(function.get(), definition.get(), status.get());
  status.check(info.Env());
  return BytesOf(info.Env(), definition.get());
}

TF_Output Graph::output(Napi::Value index) const { return outputs_.at(index.As<Napi::Number>().Uint32Value()); }

std::vector<TF_Output> Graph::outputs(Napi::Array indices) const {
  std::vector<TF_Output> found(indices.Length());
  for (uint32_t index = 0; index < indices.Length(); ++index) found[index] = output(indices.Get(index));
  return found;
}

Napi::Array Graph::OnlyEffect(Napi::Env env, TF_Operation* operation) {
  Napi::Object effect = Napi::Object::New(env);
  effect.Set("output", Napi::Number::New(env, static_cast<double>(outputs_.size())));
  outputs_.push_back({operation, 0});
  Napi::Array described = Napi::Array::New(env, 1);
  described.Set(0u, effect);
  return described;
}

// {output, type, shape}; shape is undefined where TensorFlow does not know all lengths.
Napi::Object Graph::Describe(Napi::Env env, TF_Output output) {
  Napi::Object described = Napi::Object::New(env);
  described.Set("output", Napi::Number::New(env, static_cast<double>(outputs_.size())));
  outputs_.push_back(output);
  described.Set("type", Napi::Number::New(env, TF_OperationOutputType(output)));
  const Status status;
  const int rank = TF_GraphGetTensorNumDims(graph_.get(), output, status.get());
  status.check(env);
  std::vector<int64_t> shape(rank < 0 ? 0 : rank);
  if (rank > 0) TF_GraphGetTensorShape(graph_.get(), output, shape.data(), rank, status.get());
  status.check(env);
  bool known = rank >= 0;
  for (const int64_t length : shape) known = known && length >= 0;
  if (known) described.Set("shape", ShapeArray(env, shape));
  return described;
}

}  // namespace tensor_graph
