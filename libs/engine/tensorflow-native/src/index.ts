/**
 * Native TensorFlow under tfjs: importing this registers its kernels, selects the backend `tensorflow` for the one tfjs-core of
 * the process (the instance that `import … from "@tensorflow/tfjs-core"` gives everywhere), and blocks its thread for every
 * call. So only the child process of a worker, and tests, import it; what a parent needs is in `./environment`.
 */
import "./before-loading.ts"; // must stay the first import: TensorFlow reads the environment while it is loaded
import "@tensorflow/tfjs-node-gpu";

export * as tf from "@tensorflow/tfjs-core";
export { describeTensorFlow } from "./describe.ts";
