// Attributes of an operation, as tfjs writes them ({name, type, value}, `type` a TF_AttrType), set on an operation of a graph or
// on one that is executed at once.
#pragma once

#include <napi.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace tensor_graph {

// Throws TypeError for an attribute of a type that tfjs's kernels do not use.
void SetAttributes(Napi::Array attributes, TF_OperationDescription* operation);
void SetAttributes(Napi::Array attributes, TFE_Op* operation);

}  // namespace tensor_graph
