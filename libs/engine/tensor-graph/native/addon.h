// The classes that this addon defines, to be found again wherever one of them makes an object of another.
#pragma once

#include <napi.h>

namespace tensor_graph {

struct Classes {
  Napi::FunctionReference value;
};

}  // namespace tensor_graph
