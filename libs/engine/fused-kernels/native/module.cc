// Lets Node load this library by `process.dlopen`, as it loads an addon. There is nothing in the module: the ops are
// registered by the static objects of the other files, and TensorFlow's own TF_LoadLibrary would do as well.
extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) { return exports; }
