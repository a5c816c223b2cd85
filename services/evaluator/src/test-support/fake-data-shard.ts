/** A data-shard that serves rows from memory over the real contract, and nothing else of it. */
import { FailedPrecondition, NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { DataShardService, Dataset_State, Split } from "@pretrain/proto";
import { type GrpcServer, serveGrpc, service } from "@pretrain/rpc";
import { datasetSha256, type TinyExperiment, tinyShape } from "./tiny-experiment.ts";

/** As if a third of the tokens were never trained on, the others 1, 10, 100 or 1,000 times. */
export function trainTokenCounts(vocabularySize: number): bigint[] {
  return Array.from({ length: vocabularySize }, (_, id) => (id % 3 === 0 ? 0n : 10n ** BigInt(id % 4)));
}

export function serveFakeDataShard(
  { rows, tokenizer, tokenizerBlob, tokenizerSha256 }: TinyExperiment,
  address = "127.0.0.1:0",
): Promise<GrpcServer> {
  const width = tinyShape.maxSequenceLength;
  const unused = () => Promise.reject(new Error("not part of this test"));
  const methods = service(DataShardService, {
    packDataset: unused,
    listDatasets: unused,
    getDatasetReport: unused,
    readSequences: unused,
    analyzeDataset: async ({ name }) => ({
      dataset: name,
      datasetSha256,
      trainTokenCounts: trainTokenCounts(tokenizer.vocabularySize),
      overlap: { validationRows: BigInt(rows.length), identicalRows: 1n, runTokens: 13, comparedEvery: 1 },
    }),
    getDataset: async ({ name }) => {
      if (name !== "datasets/tiny-data") throw new NotFound("DATASET_NOT_FOUND", `there is no ${name}`);
      const state = Dataset_State.READY;
      const validationRows = BigInt(rows.length);
      return { name, state, validationRows, manifestSha256: datasetSha256, tokenizerBlob, tokenizerSha256 };
    },
    async *streamBatches({ split, batchRows, shuffle, epochs }) {
      if (split !== Split.VALIDATION || shuffle !== "none" || epochs !== 1) {
        throw new FailedPrecondition("UNEXPECTED_REQUEST", "an evaluation reads the validation split once, in order");
      }
      for (let begin = 0; begin < rows.length; begin += batchRows) {
        const batch = rows.slice(begin, begin + batchRows);
        const tokens = new Uint16Array(batch.length * width); // this machine is little-endian, as the contract is
        batch.forEach((row, index) => tokens.set(row.tokens, index * width));
        yield {
          epoch: 1,
          rowIds: batch.map(({ rowId }) => BigInt(rowId)),
          lengths: batch.map((row) => row.tokens.length),
          tokens: new Uint8Array(tokens.buffer),
        };
      }
    },
  });
  return serveGrpc({ address, services: [methods], log: createLog("fake-data-shard", "error") });
}
