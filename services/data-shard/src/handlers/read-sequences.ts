/** ReadSequences: rows in the order of the file, page by page, short ones left out where that is asked for. */
import { create } from "@bufbuild/protobuf";
import { type ReadSequencesRequest, type ReadSequencesResponse, ReadSequencesResponseSchema } from "@pretrain/proto";
import { type ReadyDatasets, splitNameOf } from "../stores/ready-datasets.ts";
import { pageSizeOf, pageToken, positionOf } from "./page-token.ts";

/** A page ends early when it would hold or look at more than this: an answer stays small, a call short. */
const maximumPageTokens = 2 ** 20;
const maximumLookedAt = 20_000;
const rowsPerRead = 256;

export const readSequences =
  ({ ready }: { readonly ready: ReadyDatasets }) =>
  async (request: ReadSequencesRequest): Promise<ReadSequencesResponse> => {
    const { shards } = await ready.open(request.dataset);
    const split = splitNameOf(request.split);
    const { rows } = shards.manifest.splits[split];
    const fields = [request.dataset, split, request.minimumLength];
    const first = positionOf(request.pageToken, fields, 0);
    const page = new Page(pageSizeOf(request.pageSize, { usual: 100, most: 1000 }), request.minimumLength);
    let next = first;
    while (next < rows && next - first < maximumLookedAt && !page.isFull) {
      const rowIds = Array.from({ length: Math.min(rowsPerRead, rows - next) }, (_, index) => next + index);
      next += page.take(await shards.readRows(split, rowIds), next);
    }
    return create(ReadSequencesResponseSchema, {
      sequences: page.sequences.map(({ rowId, ids }) => ({ rowId: BigInt(rowId), tokens: [...ids] })),
      nextPageToken: next < rows ? pageToken(fields, next) : "",
      skippedRows: BigInt(page.skippedRows),
    });
  };

class Page {
  readonly sequences: { readonly rowId: number; readonly ids: Uint16Array }[] = [];
  skippedRows = 0;
  readonly #size: number;
  readonly #minimumLength: number;
  #tokens = 0;

  constructor(size: number, minimumLength: number) {
    this.#size = size;
    this.#minimumLength = minimumLength;
  }

  get isFull(): boolean {
    return this.sequences.length >= this.#size || this.#tokens >= maximumPageTokens;
  }

  /** Takes rows until it is full. @returns how many it looked at */
  take(rows: readonly Uint16Array[], firstRow: number): number {
    for (const [index, ids] of rows.entries()) {
      if (this.isFull) return index;
      if (ids.length < this.#minimumLength) this.skippedRows += 1;
      else {
        this.sequences.push({ rowId: firstRow + index, ids });
        this.#tokens += ids.length;
      }
    }
    return rows.length;
  }
}
