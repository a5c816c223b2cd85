// The threads of all kernels. TensorFlow's C API gives no access to its own.
#pragma once

#include <cstdint>
#include <functional>

namespace pretrain {

/**
 * Calls work(0) … work(count - 1), each once, on TF_NUM_INTRAOP_THREADS threads (all processors if it is unset or 0), of which
 * the caller is one. Who computes which part is left to chance, so a part may depend on nothing but its index: then the
 * result has the same bits for any number of threads.
 *
 * Returns when all is done. If another caller has the threads just now, this one computes alone. `work` must not throw.
 */
void inParallel(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace pretrain
