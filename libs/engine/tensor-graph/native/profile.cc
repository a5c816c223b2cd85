#include "profile.h"

#include <string>
#include <vector>

#include "buffer.h"
#include "status.h"
#include "tensor.h"
#include "tensorflow/c/c_api.h"

namespace tensor_graph {
namespace {

void CloseAndDelete(TF_Session* session) {
  const Status ignored;  // there is nothing left to be done about it
  TF_CloseSession(session, ignored.get());
  TF_DeleteSession(session, ignored.get());
}

struct Given {
  std::string name;
  TF_DataType type;
  std::vector<int64_t> shape;
  OwnedTensor value;
};

class Session {
 public:
  explicit Session(Napi::Env env) : env_(env) {}

  void Import(const Napi::Uint8Array& definition) {
    const Owned<TF_Function, TF_DeleteFunction> function(
        TF_FunctionImportFunctionDef(definition.Data(), definition.ByteLength(), status_.get()));
    Check();
    // Executed as a function, as a run does; inlined it would be optimized together with what feeds it.
    const char yes[] = {0x28, 0x01};  // an AttrValue whose field 5, `b`, is true
    TF_FunctionSetAttrValueProto(function.get(), "_noinline", yes, sizeof(yes), status_.get());
    Check();
    TF_GraphCopyFunction(graph_.get(), function.get(), nullptr, status_.get());
    Check();
  }

  void AddFeed(Given given) {
    const TF_Output feed = Placeholder(given);
    arguments_.push_back(feed);
    feeds_.push_back(feed);
    values_.push_back(std::move(given.value));
  }

  void AddVariable(Given given) {
    TF_OperationDescription* description = TF_NewOperation(graph_.get(), "VarHandleOp", (given.name + "_handle").c_str());
    TF_SetAttrType(description, "dtype", given.type);
    TF_SetAttrShape(description, "shape", given.shape.data(), static_cast<int>(given.shape.size()));
    TF_SetAttrString(description, "shared_name", given.name.data(), given.name.size());
    const TF_Output handle = Finish(description);
    const TF_Output value = Placeholder(given);
    TF_OperationDescription* assign = TF_NewOperation(graph_.get(), "AssignVariableOp", (given.name + "_assign").c_str());
    TF_AddInput(assign, handle);
    TF_AddInput(assign, value);
    TF_SetAttrType(assign, "dtype", given.type);
    assignments_.push_back(Finish(assign).oper);
    arguments_.push_back(handle);
    initials_.push_back(value);
    initialValues_.push_back(std::move(given.value));
  }

  Napi::Value Run(const std::string& name, const std::vector<TF_DataType>& resultTypes, int warmUpRuns) {
    // Not an operation of the function's name: only a call of this kind reports what happens in it.
    TF_OperationDescription* description = TF_NewOperation(graph_.get(), "StatefulPartitionedCall", "session/call");
    std::vector<TF_DataType> types;
    for (const TF_Output& argument : arguments_) types.push_back(TF_OperationOutputType(argument));
    TF_AddInputList(description, arguments_.data(), static_cast<int>(arguments_.size()));
    TF_SetAttrTypeList(description, "Tin", types.data(), static_cast<int>(types.size()));
    TF_SetAttrTypeList(description, "Tout", resultTypes.data(), static_cast<int>(resultTypes.size()));
    TF_SetAttrFuncName(description, "f", name.data(), name.size());
    TF_Operation* call = Finish(description).oper;
    for (int index = 0; index < static_cast<int>(resultTypes.size()); ++index) results_.push_back({call, index});
    const Owned<TF_SessionOptions, TF_DeleteSessionOptions> options(TF_NewSessionOptions());
    session_.reset(TF_NewSession(graph_.get(), options.get(), status_.get()));
    Check();
    if (!assignments_.empty()) RunOnce(initials_, initialValues_, {}, assignments_, nullptr, nullptr);
    for (int run = 0; run < warmUpRuns; ++run) RunOnce(feeds_, values_, results_, {call}, nullptr, nullptr);
    const char traced[] = {0x08, 0x03};  // RunOptions.trace_level (field 1): FULL_TRACE (3)
    const Owned<TF_Buffer, TF_DeleteBuffer> runOptions(TF_NewBufferFromString(traced, sizeof(traced)));
    const Owned<TF_Buffer, TF_DeleteBuffer> metadata(TF_NewBuffer());
    RunOnce(feeds_, values_, results_, {call}, runOptions.get(), metadata.get());
    return BytesOf(env_, metadata.get());
  }

 private:
  void Check() { status_.check(env_); }

  TF_Output Finish(TF_OperationDescription* description) {
    TF_Operation* operation = TF_FinishOperation(description, status_.get());
    Check();
    return {operation, 0};
  }

  TF_Output Placeholder(const Given& given) {
    TF_OperationDescription* description = TF_NewOperation(graph_.get(), "Placeholder", given.name.c_str());
    TF_SetAttrType(description, "dtype", given.type);
    TF_SetAttrShape(description, "shape", given.shape.data(), static_cast<int>(given.shape.size()));
    return Finish(description);
  }

  // What is neither fetched nor a target is not computed.
  void RunOnce(const std::vector<TF_Output>& inputs, const std::vector<OwnedTensor>& owned, const std::vector<TF_Output>& fetched,
               const std::vector<const TF_Operation*>& targets, const TF_Buffer* options, TF_Buffer* metadata) {
    std::vector<TF_Tensor*> values;
    for (const OwnedTensor& value : owned) values.push_back(value.get());
    std::vector<TF_Tensor*> results(fetched.size(), nullptr);
    TF_SessionRun(session_.get(), options, inputs.data(), values.data(), static_cast<int>(values.size()), fetched.data(),
                  results.data(), static_cast<int>(results.size()), targets.data(), static_cast<int>(targets.size()), metadata,
                  status_.get());
    for (TF_Tensor* result : results) TF_DeleteTensor(result);
    Check();
  }

  Napi::Env env_;
  Status status_;
  Owned<TF_Graph, TF_DeleteGraph> graph_{TF_NewGraph()};
  Owned<TF_Session, CloseAndDelete> session_;
  std::vector<TF_Output> arguments_, feeds_, initials_, results_;
  std::vector<OwnedTensor> values_, initialValues_;
  std::vector<const TF_Operation*> assignments_;
};

Given GivenOf(Napi::Env env, std::string name, Napi::Object given) {
  const auto type = static_cast<TF_DataType>(given.Get("type").As<Napi::Number>().Int32Value());
  const Napi::Array shape = given.Get("shape").As<Napi::Array>();
  return {std::move(name), type, ShapeOf(shape), TensorOf(env, type, shape, given.Get("values").As<Napi::TypedArray>())};
}

}  // namespace

Napi::Value Profile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array feeds = info[2].As<Napi::Array>();
  const Napi::Array variables = info[3].As<Napi::Array>();
  Session session(env);
  session.Import(info[0].As<Napi::Uint8Array>());
  for (uint32_t index = 0; index < feeds.Length(); ++index) {
    session.AddFeed(GivenOf(env, "session/feed_" + std::to_string(index), feeds.Get(index).As<Napi::Object>()));
  }
  for (uint32_t index = 0; index < variables.Length(); ++index) {
    session.AddVariable(GivenOf(env, "session/variable_" + std::to_string(index), variables.Get(index).As<Napi::Object>()));
  }
  const Napi::Array results = info[4].As<Napi::Array>();
  std::vector<TF_DataType> resultTypes;
  for (uint32_t index = 0; index < results.Length(); ++index) {
    resultTypes.push_back(static_cast<TF_DataType>(results.Get(index).As<Napi::Number>().Int32Value()));
  }
  return session.Run(info[1].As<Napi::String>(), resultTypes, info[5].As<Napi::Number>().Int32Value());
}

}  // namespace tensor_graph
