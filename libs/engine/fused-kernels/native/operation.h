// TensorFlow operations of our own through its C API (tensorflow/c/ops.h and kernels.h), whose ABI is stable, unlike that of its
// C++ classes. An op is described once: one function says which shapes it takes and gives, and it serves TensorFlow's shape
// inference, while a graph is built, as well as the check of what the kernel gets when it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "storage.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace pretrain {

using Dimensions = std::vector<int64_t>;

/** What the caller did wrong, for TensorFlow's status INVALID_ARGUMENT. Stays inside this library. */
struct InvalidArgument {
  std::string message;
};

/** @throws InvalidArgument of all the parts in a row, unless `condition` */
template <typename... Parts>
void expect(bool condition, const Parts&... parts) {
  if (condition) return;
  std::ostringstream message;
  (message << ... << parts);
  throw InvalidArgument{message.str()};
}

/** `[8,512,768]` */
std::string text(const Dimensions& shape);

int64_t elements(const Dimensions& shape);

/** All but the last. */
int64_t rows(const Dimensions& shape);

struct Operation {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs; // in TensorFlow's notation: "T: {float, bfloat16}", "x: T"
  /** The outputs' shapes for those of the inputs. @throws InvalidArgument if they do not fit together */
  std::vector<Dimensions> (*shapes)(const std::vector<Dimensions>& inputs);
};

/** The attributes of a node, read once when its kernel is made. */
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}
  float number(const char* name) const;

 private:
  TF_OpKernelConstruction* const construction_;
};

struct DeleteTensor {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using Tensor = std::unique_ptr<TF_Tensor, DeleteTensor>; // the reference, not the memory

/** One run of a kernel: its checked inputs, and its outputs, allocated. */
class Call {
 public:
  /** @param reusable for each output the inputs whose buffer it may take if nobody else reads it */
  Call(TF_OpKernelContext*, const Operation&, const std::vector<std::vector<int>>& reusable);

  const std::vector<Dimensions>& shapes() const { return inputShapes_; }
  const Dimensions& shape(int input) const { return inputShapes_[input]; }

  /** May be the memory of an output as well: read a part before writing it. */
  template <typename T>
  const T* input(int index) const {
    return static_cast<const T*>(TF_TensorData(inputs_[index].get()));
  }
  template <typename T>
  T* output(int index) const {
    return static_cast<T*>(TF_TensorData(outputs_[index].get()));
  }

 private:
  std::vector<Dimensions> inputShapes_;
  std::vector<Tensor> inputs_, outputs_;
};

/** Makes an op and its kernels known to TensorFlow while the library is loaded: one static object for each op. */
class Registration {
 public:
  /** An op whose attribute T is the type of its large tensors: Kernel<float> and Kernel<bfloat16>. */
  template <const Operation& operation, template <typename> class Kernel>
  static Registration forBothTypes() {
    define(operation, infer<operation>);
    addKernel(operation, "T", TF_FLOAT, create<Kernel<float>>, compute<operation, Kernel<float>>, remove<Kernel<float>>);
    addKernel(operation, "T", TF_BFLOAT16, create<Kernel<bfloat16>>, compute<operation, Kernel<bfloat16>>,
              remove<Kernel<bfloat16>>);
    return {};
  }

  template <const Operation& operation, class Kernel>
  static Registration forFloat() {
    define(operation, infer<operation>);
    addKernel(operation, nullptr, TF_FLOAT, create<Kernel>, compute<operation, Kernel>, remove<Kernel>);
    return {};
  }

 private:
  using Infer = void (*)(TF_ShapeInferenceContext*, TF_Status*);
  using Create = void* (*)(TF_OpKernelConstruction*);
  using Compute = void (*)(void*, TF_OpKernelContext*);
  using Remove = void (*)(void*);

  static void define(const Operation&, Infer);
  static void addKernel(const Operation&, const char* typeAttribute, TF_DataType, Create, Compute, Remove);
  static void inferShapes(TF_ShapeInferenceContext*, TF_Status*, const Operation&);
  static void fail(TF_OpKernelConstruction*, const std::string& message);
  static void fail(TF_OpKernelContext*, const Operation&, const std::string& message);

  template <const Operation& operation>
  static void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
    inferShapes(context, status, operation);
  }

  template <class Kernel>
  static void* create(TF_OpKernelConstruction* construction) {
    try {
      return new Kernel(Attributes(construction));
    } catch (const InvalidArgument& error) {
      fail(construction, error.message);
      return nullptr;
    }
  }

  template <const Operation& operation, class Kernel>
  static void compute(void* kernel, TF_OpKernelContext* context) {
    try {
      Call call(context, operation, Kernel::reusable());
      static_cast<const Kernel*>(kernel)->compute(call);
    } catch (const InvalidArgument& error) {
      fail(context, operation, error.message);
    }
  }

  template <class Kernel>
  static void remove(void* kernel) {
    delete static_cast<Kernel*>(kernel);
  }
};

}  // namespace pretrain
