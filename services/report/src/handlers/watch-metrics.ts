/**
 * WatchMetrics: a reader is a place in the ledger. Nothing is queued for it, so a slow one costs nobody else anything; the ledger is
 * read once for all who stand at the same place.
 */
import { create } from "@bufbuild/protobuf";
import { ResourceExhausted } from "@pretrain/errors";
import { type WatchMetricsRequest, type WatchMetricsResponse, WatchMetricsResponseSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { ChangesSignal } from "../ledger/changes-signal.ts";
import { isKnown } from "../ledger/is-known.ts";
import { type NewSteps, readNewSteps } from "../ledger/read-new-steps.ts";
import { SharedReads } from "../ledger/shared-reads.ts";
import { lastPosition } from "../page/changes.ts";
import { type Dependencies, unknownExperiment } from "./dependencies.ts";

/** Behind by more, a reader asks for curves instead. */
const maximumBehind = 1000;
const maximumReaders = 1024;

export interface Watching extends Pick<Dependencies, "ledger"> {
  readonly changes: Pick<ChangesSignal, "next">;
}

export function watchMetrics({ ledger, changes }: Watching) {
  let readers = 0;
  const shared = new SharedReads<NewSteps | undefined>();
  let told: Promise<void> | undefined;
  return async function* (
    request: WatchMetricsRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<WatchMetricsResponse> {
    const experiment = idOfExperimentName(request.experiment, "experiment");
    if (!isKnown(ledger, experiment)) throw unknownExperiment(experiment);
    if (readers >= maximumReaders) throw tooManyReaders();
    readers += 1;
    try {
      yield* helpings(experiment, request.place, signal);
    } finally {
      readers -= 1;
    }
  };

  async function* helpings(experiment: string, wanted: string, signal: AbortSignal) {
    const begin = placeOf(wanted);
    let position = begin ?? lastPosition(ledger);
    let isFirst = true;
    while (!signal.aborted) {
      const changed = changes.next;
      if (changed !== told) shared.forget();
      told = changed;
      const from = position;
      const found = shared.read(`${experiment}/${from}`, () => readNewSteps(ledger, experiment, from, maximumBehind));
      if (found === undefined) throw behind(experiment);
      position = found.position;
      const reset = found.hasAttempt || (isFirst && wanted !== "" && begin === undefined);
      if (isFirst || reset || found.steps.length > 0) {
        yield create(WatchMetricsResponseSchema, {
          place: `${ledger.id}-${position}`,
          reset,
          steps: [...found.steps],
        });
      } else await orEnded(changed, signal);
      isFirst = false;
    }
  }

  /** Undefined for none, and for one of another ledger or from the future: it means nothing here. */
  function placeOf(wanted: string): number | undefined {
    const [, id, position] = /^([0-9a-f]{8})-([0-9]{1,15})$/.exec(wanted) ?? [];
    const isOurs = id === ledger.id && Number(position) <= lastPosition(ledger);
    return isOurs ? Number(position) : undefined;
  }
}

async function orEnded(changed: Promise<void>, signal: AbortSignal): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const end = () => ended.resolve();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await Promise.race([changed, ended.promise]);
  signal.removeEventListener("abort", end);
}

function behind(experiment: string): ResourceExhausted {
  const message = `the reader is more than ${maximumBehind} micro-steps behind; read them with QueryMetrics and watch again`;
  return new ResourceExhausted("READER_BEHIND", message, { experiment });
}

function tooManyReaders(): ResourceExhausted {
  const message = `${maximumReaders} readers watch already; try again later`;
  return new ResourceExhausted("TOO_MANY_READERS", message, { readers: String(maximumReaders) });
}
