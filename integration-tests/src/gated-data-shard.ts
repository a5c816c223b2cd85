/**
 * A data-shard between the services and the real one. Everything passes, but rows only as far as the test allows: so a test holds
 * training or an evaluation at a place of its choice, for as long as it likes.
 */
import { createLog } from "@pretrain/observability";
import { DataShardService, Split } from "@pretrain/proto";
import { connectClient, type PretrainClient, serveGrpc, service } from "@pretrain/rpc";
import type { TestScope } from "@pretrain/testing";

export interface GatedDataShard {
  /** host:port */
  readonly address: string;
  /** Where the real one answers; until it is known everybody waits. */
  readonly connect: (address: string) => void;
  /** By the number of the micro-step that a batch is for, in the first epoch. */
  readonly training: Gate;
  /** By the number of the batch in its evaluation. */
  readonly validation: Gate;
}

/** Closed at first. */
export class Gate {
  #allowed = 0;
  #changed = Promise.withResolvers<void>();

  /** Lets this many through in all. */
  allow(count: number): void {
    this.#allowed = count;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** @param place from 1   @throws the reason of `signal` */
  async pass(place: number, signal: AbortSignal): Promise<void> {
    const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (place > this.#allowed && !signal.aborted) await Promise.race([this.#changed.promise, gone]);
    signal.throwIfAborted();
  }
}

export async function serveGatedDataShard(t: TestScope): Promise<GatedDataShard> {
  const connected = Promise.withResolvers<PretrainClient<typeof DataShardService>>();
  const gates = { training: new Gate(), validation: new Gate() };
  const methods = service(DataShardService, {
    packDataset: async (request) => (await connected.promise).packDataset(request),
    getDataset: async (request) => (await connected.promise).getDataset(request),
    listDatasets: async (request) => (await connected.promise).listDatasets(request),
    getDatasetReport: async (request) => (await connected.promise).getDatasetReport(request),
    readSequences: async (request) => (await connected.promise).readSequences(request),
    analyzeDataset: async (request) => (await connected.promise).analyzeDataset(request),
    async *streamBatches(request, { signal }) {
      const gate = request.split === Split.TRAIN ? gates.training : gates.validation;
      let place = Number(request.start?.row ?? 0n) / request.batchRows;
      for await (const batch of (await connected.promise).streamBatches(request, { signal })) {
        place += 1;
        await gate.pass(place, signal);
        yield batch;
      }
    },
  });
  const log = createLog("gated-data-shard", "error");
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [methods], log });
  t.after(async () => await server[Symbol.asyncDispose]());
  const connect = (address: string) => {
    const client = connectClient(DataShardService, address);
    t.after(() => client[Symbol.dispose]());
    connected.resolve(client);
  };
  return { address: server.address, connect, ...gates };
}
