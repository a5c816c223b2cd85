/** Streams of messages with something done to each, or to their end. */

/** The same messages, each looked at before it is passed on. */
export async function* inspected<T>(messages: AsyncIterable<T>, inspect: (message: T) => void): AsyncGenerator<T> {
  for await (const message of messages) {
    inspect(message);
    yield message;
  }
}

/** The same messages; an error of theirs is thrown as what `translate` makes of it. */
export async function* translated<T>(
  messages: AsyncIterable<T>,
  translate: (thrown: unknown) => unknown,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw translate(thrown);
  }
}

/** The same messages until `signal`, whose reason is then thrown at once, even while the next message is being made. */
export async function* endedBy<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  // Also while nobody asks for the next message: a caller that is gone would leave its generator suspended for ever. Not awaited:
  // a generator that is busy finishes when its own signal ends what it waits for, and what it throws then nobody can be told.
  const end = () => void iterator.return?.().catch(() => undefined);
  signal.addEventListener("abort", end, { once: true });
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

/** What `promise` gives, or the reason of `signal` as soon as that is aborted. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
