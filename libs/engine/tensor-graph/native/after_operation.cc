#include "after_operation.h"

#include <mutex>
#include <stdexcept>
#include <string>

#include "status.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace tensor_graph {
namespace {

using OwnedStatus = Owned<TF_Status, TF_DeleteStatus>;
using OwnedTensor = Owned<TF_Tensor, TF_DeleteTensor>;

void Compute(void*, TF_OpKernelContext* context) {
  const OwnedStatus status(TF_NewStatus());
  TF_Tensor* x = nullptr;
  TF_GetInput(context, 0, &x, status.get());
  const OwnedTensor owned(x);
  if (TF_GetCode(status.get()) == TF_OK) TF_SetOutput(context, 0, x, status.get());
  if (TF_GetCode(status.get()) != TF_OK) TF_OpKernelContext_Failure(context, status.get());
}

void InferShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  const Owned<TF_ShapeHandle, TF_DeleteShapeHandle> shape(TF_NewShapeHandle());
  TF_ShapeInferenceContextGetInput(context, 0, shape.get(), status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 0, shape.get(), status);
}

void Check(const TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) throw std::runtime_error(std::string("TensorGraphAfter: ") + TF_Message(status));
}

void Register() {
  const OwnedStatus status(TF_NewStatus());
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder("TensorGraphAfter");
  for (const char* attribute : {"T: type", "U: type"}) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  for (const char* input : {"x: T", "other: U"}) TF_OpDefinitionBuilderAddInput(definition, input);
  TF_OpDefinitionBuilderAddOutput(definition, "after: T");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, InferShape);
  TF_RegisterOpDefinition(definition, status.get());
  Check(status.get());
  for (const char* device : {"CPU", "GPU"}) {
    TF_KernelBuilder* kernel = TF_NewKernelBuilder("TensorGraphAfter", device, nullptr, Compute, nullptr);
    TF_RegisterKernelBuilder("TensorGraphAfter", kernel, status.get());
    Check(status.get());
  }
}

}  // namespace

void RegisterAfterOperation() {
  static std::once_flag registered;  // a second thread of JavaScript loads the addon again, into the same TensorFlow
  std::call_once(registered, Register);
}

}  // namespace tensor_graph
