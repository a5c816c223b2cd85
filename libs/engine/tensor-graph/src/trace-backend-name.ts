/** Its own file, so that whoever registers kernels of their own for the backend can name it without loading tfjs. */
export const traceBackendName = "trace";
