#include "operation.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace pretrain {
namespace {

struct Status {
  TF_Status* const value = TF_NewStatus();
  ~Status() { TF_DeleteStatus(value); }
  bool ok() const { return TF_GetCode(value) == TF_OK; }
  void expectOk() const { expect(ok(), TF_Message(value)); }
};

/** Ops are registered before anyone could catch an error, and one that fails is a mistake in this library. */
void dieUnless(const Status& status, const char* name) {
  if (status.ok()) return;
  std::fprintf(stderr, "fused kernels: %s cannot be registered: %s\n", name, TF_Message(status.value));
  std::abort();
}

Dimensions shapeOf(const TF_Tensor* tensor) {
  Dimensions shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return shape;
}

Tensor inputOf(TF_OpKernelContext* context, int index) {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context, index, &tensor, status.value);
  status.expectOk();
  return Tensor(tensor);
}

/** @param reusable the inputs whose buffer the output may take */
Tensor newOutput(TF_OpKernelContext* context, int index, const Dimensions& shape, const std::vector<int>& reusable) {
  Status status;
  const int rank = static_cast<int>(shape.size());
  const TF_DataType type = TF_ExpectedOutputDataType(context, index);
  const size_t size = static_cast<size_t>(elements(shape)) * TF_DataTypeSize(type);
  int reused = -1;
  Tensor tensor(reusable.empty() ? TF_AllocateOutput(context, index, type, shape.data(), rank, size, status.value)
                                 : TF_ForwardInputOrAllocateOutput(context, reusable.data(), static_cast<int>(reusable.size()),
                                                                   index, shape.data(), rank, &reused, status.value));
  status.expectOk();
  return tensor;
}

struct ShapeHandle {
  TF_ShapeHandle* value;
  explicit ShapeHandle(TF_ShapeHandle* handle = TF_NewShapeHandle()) : value(handle) {}
  ShapeHandle(const ShapeHandle&) = delete;
  ~ShapeHandle() { TF_DeleteShapeHandle(value); }
};

/** @returns false if an axis, or their number, is unknown yet */
bool readShape(TF_ShapeInferenceContext* context, int input, Dimensions& shape) {
  Status status;
  ShapeHandle handle;
  TF_ShapeInferenceContextGetInput(context, input, handle.value, status.value);
  status.expectOk();
  if (!TF_ShapeInferenceContextRankKnown(context, handle.value)) return false;
  std::unique_ptr<TF_DimensionHandle, void (*)(TF_DimensionHandle*)> dimension(TF_NewDimensionHandle(),
                                                                             TF_DeleteDimensionHandle);
  for (int64_t axis = 0; axis < TF_ShapeInferenceContextRank(context, handle.value); axis++) {
    TF_ShapeInferenceContextDim(context, handle.value, axis, dimension.get());
    if (!TF_DimensionHandleValueKnown(dimension.get())) return false;
    shape.push_back(TF_DimensionHandleValue(dimension.get()));
  }
  return true;
}

void writeShape(TF_ShapeInferenceContext* context, int output, const Dimensions& shape) {
  Status status;
  ShapeHandle whole(TF_ShapeInferenceContextScalar(context));
  for (const int64_t size : shape) {
    ShapeHandle next(TF_ShapeInferenceContextVectorFromSize(context, static_cast<size_t>(size)));
    ShapeHandle longer;
    TF_ShapeInferenceContextConcatenateShapes(context, whole.value, next.value, longer.value, status.value);
    status.expectOk();
    std::swap(whole.value, longer.value);
  }
  TF_ShapeInferenceContextSetOutput(context, output, whole.value, status.value);
  status.expectOk();
}

}  // namespace

std::string text(const Dimensions& shape) {
  std::ostringstream result;
  for (size_t axis = 0; axis < shape.size(); axis++) result << (axis == 0 ? "[" : ",") << shape[axis];
  return shape.empty() ? "[]" : result.str() + "]";
}

int64_t elements(const Dimensions& shape) {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

int64_t rows(const Dimensions& shape) { return elements(Dimensions(shape.begin(), shape.end() - 1)); }

float Attributes::number(const char* name) const {
  Status status;
  float value = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status.value);
  status.expectOk();
  return value;
}

Call::Call(TF_OpKernelContext* context, const Operation& operation, const std::vector<std::vector<int>>& reusable) {
  const int inputs = TF_NumInputs(context);
  // No reference is kept yet: a buffer is handed on only while nobody holds a second one.
  for (int i = 0; i < inputs; i++) inputShapes_.push_back(shapeOf(inputOf(context, i).get()));
  const std::vector<Dimensions> shapes = operation.shapes(inputShapes_);
  for (size_t i = 0; i < shapes.size(); i++) {
    const std::vector<int> candidates = i < reusable.size() ? reusable[i] : std::vector<int>();
    outputs_.push_back(newOutput(context, static_cast<int>(i), shapes[i], candidates));
  }
  for (int i = 0; i < inputs; i++) inputs_.push_back(inputOf(context, i));
}

void Registration::define(const Operation& operation, Infer infer) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(operation.name);
  for (const char* attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, infer);
  Status status;
  TF_RegisterOpDefinition(builder, status.value); // deletes the builder
  dieUnless(status, operation.name);
}

void Registration::addKernel(const Operation& operation, const char* typeAttribute, TF_DataType type, Create create,
                             Compute compute, Remove remove) {
  Status status;
  TF_KernelBuilder* builder = TF_NewKernelBuilder(operation.name, "CPU", create, compute, remove);
  if (typeAttribute != nullptr) TF_KernelBuilder_TypeConstraint(builder, typeAttribute, type, status.value);
  dieUnless(status, operation.name);
  TF_RegisterKernelBuilder(operation.name, builder, status.value); // takes the builder
  dieUnless(status, operation.name);
}

void Registration::inferShapes(TF_ShapeInferenceContext* context, TF_Status* status, const Operation& operation) {
  try {
    std::vector<Dimensions> inputs;
    for (int i = 0; i < TF_ShapeInferenceContextNumInputs(context); i++) {
      inputs.emplace_back();
      if (!readShape(context, i, inputs.back())) return TF_ShapeInferenceContextSetUnknownShape(context, status);
    }
    const std::vector<Dimensions> outputs = operation.shapes(inputs);
    for (size_t i = 0; i < outputs.size(); i++) writeShape(context, static_cast<int>(i), outputs[i]);
    TF_SetStatus(status, TF_OK, "");
  } catch (const InvalidArgument& error) {
    TF_SetStatus(status, TF_INVALID_ARGUMENT, error.message.c_str());
  }
}

void Registration::fail(TF_OpKernelConstruction* construction, const std::string& message) {
  Status status;
  TF_SetStatus(status.value, TF_INVALID_ARGUMENT, message.c_str());
  TF_OpKernelConstruction_Failure(construction, status.value);
}

void Registration::fail(TF_OpKernelContext* context, const Operation& operation, const std::string& message) {
  Status status;
  TF_SetStatus(status.value, TF_INVALID_ARGUMENT, (operation.name + (": " + message)).c_str());
  TF_OpKernelContext_Failure(context, status.value);
}

}  // namespace pretrain
