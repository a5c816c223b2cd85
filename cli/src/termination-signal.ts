/** The wish to stop: Ctrl-C, or SIGTERM from whoever started this. Waiting for it keeps no process alive that has nothing else to do. */
export function terminationSignal(): Promise<"SIGINT" | "SIGTERM"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
}
