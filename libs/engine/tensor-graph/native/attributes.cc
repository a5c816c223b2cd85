#include "attributes.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tensor_graph {
namespace {

// The two families of setters of the C API under one name.
struct GraphSetters {
  TF_OperationDescription* operation;
  void string(const char* name, const std::string& value) const { TF_SetAttrString(operation, name, value.data(), value.size()); }
  void integer(const char* name, int64_t value) const { TF_SetAttrInt(operation, name, value); }
  void integers(const char* name, const std::vector<int64_t>& values) const {
    TF_SetAttrIntList(operation, name, values.data(), static_cast<int>(values.size()));
  }
  void number(const char* name, float value) const { TF_SetAttrFloat(operation, name, value); }
  void boolean(const char* name, bool value) const { TF_SetAttrBool(operation, name, value); }
  void type(const char* name, TF_DataType value) const { TF_SetAttrType(operation, name, value); }
  void types(const char* name, const std::vector<TF_DataType>& values) const {
    TF_SetAttrTypeList(operation, name, values.data(), static_cast<int>(values.size()));
  }
  void shape(const char* name, const std::vector<int64_t>& value) const {
    TF_SetAttrShape(operation, name, value.data(), static_cast<int>(value.size()));
  }
};

struct EagerSetters {
  TFE_Op* operation;
  void string(const char* name, const std::string& value) const { TFE_OpSetAttrString(operation, name, value.data(), value.size()); }
  void integer(const char* name, int64_t value) const { TFE_OpSetAttrInt(operation, name, value); }
  void integers(const char* name, const std::vector<int64_t>& values) const {
    TFE_OpSetAttrIntList(operation, name, values.data(), static_cast<int>(values.size()));
  }
  void number(const char* name, float value) const { TFE_OpSetAttrFloat(operation, name, value); }
  void boolean(const char* name, bool value) const { TFE_OpSetAttrBool(operation, name, value); }
  void type(const char* name, TF_DataType value) const { TFE_OpSetAttrType(operation, name, value); }
  void types(const char* name, const std::vector<TF_DataType>& values) const {
    TFE_OpSetAttrTypeList(operation, name, values.data(), static_cast<int>(values.size()));
  }
  void shape(const char* name, const std::vector<int64_t>& value) const {
    TF_Status* status = TF_NewStatus();  // it can only refuse more than 254 axes
    TFE_OpSetAttrShape(operation, name, value.data(), static_cast<int>(value.size()), status);
    TF_DeleteStatus(status);
  }
};

std::vector<int64_t> IntegersOf(Napi::Value value) {
  Napi::Array array = value.As<Napi::Array>();
  std::vector<int64_t> integers(array.Length());
  for (uint32_t index = 0; index < array.Length(); ++index) {
    integers[index] = array.Get(index).As<Napi::Number>().Int64Value();
  }
  return integers;
}

std::vector<TF_DataType> TypesOf(Napi::Value value) {
  std::vector<TF_DataType> types;
  for (const int64_t type : IntegersOf(value)) types.push_back(static_cast<TF_DataType>(type));
  return types;
}

template <typename Setters>
void SetAttribute(Napi::Object attribute, const Setters& set) {
  const std::string name = attribute.Get("name").As<Napi::String>();
  const Napi::Value value = attribute.Get("value");
  const auto type = static_cast<TF_AttrType>(attribute.Get("type").As<Napi::Number>().Int32Value());
  switch (type) {
    case TF_ATTR_STRING:
      return set.string(name.c_str(), value.As<Napi::String>());
    case TF_ATTR_INT:
      if (value.IsArray()) return set.integers(name.c_str(), IntegersOf(value));
      return set.integer(name.c_str(), value.As<Napi::Number>().Int64Value());
    case TF_ATTR_FLOAT:
      return set.number(name.c_str(), value.As<Napi::Number>().FloatValue());
    case TF_ATTR_BOOL:
      return set.boolean(name.c_str(), value.ToBoolean());
    case TF_ATTR_TYPE:
      if (value.IsArray()) return set.types(name.c_str(), TypesOf(value));
      return set.type(name.c_str(), static_cast<TF_DataType>(value.As<Napi::Number>().Int32Value()));
    case TF_ATTR_SHAPE:
      return set.shape(name.c_str(), IntegersOf(value));
    default:
      throw Napi::TypeError::New(attribute.Env(), "attribute " + name + " is of a type that is not known here");
  }
}

template <typename Setters>
void SetAll(Napi::Array attributes, const Setters& set) {
  for (uint32_t index = 0; index < attributes.Length(); ++index) SetAttribute(attributes.Get(index).As<Napi::Object>(), set);
}

}  // namespace

void SetAttributes(Napi::Array attributes, TF_OperationDescription* operation) { SetAll(attributes, GraphSetters{operation}); }
void SetAttributes(Napi::Array attributes, TFE_Op* operation) { SetAll(attributes, EagerSetters{operation}); }

}  // namespace tensor_graph
