// What TensorFlow really executes of a function, after its optimizer, and how long each operation takes.
#pragma once

#include <napi.h>

namespace tensor_graph {

// (bytes of a FunctionDef, its name, feeds, variables, types of results, warmUpRuns) → bytes of the RunMetadata of one more run. A feed and a variable
// is {type, shape, values}. Runs in a session of its own: an eager context reports no times. Nothing of it stays. The names
// of its own nodes begin with `session/`.
Napi::Value Profile(const Napi::CallbackInfo& info);

}  // namespace tensor_graph
