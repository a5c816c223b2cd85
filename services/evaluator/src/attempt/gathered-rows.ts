/** Rows on their way to the computing process: enough to be put together by length, few enough to be answered in good time. */
import type { Row } from "../evaluation/sample-selection.ts";

const rowsToSort = 128;
/** At 13 bytes for each target the answer fits into a message of the computing process, with room for the batch that goes over it. */
const tokensToSend = 2 ** 20;

/** Batches in their order, joined until they have 128 rows or a million tokens. */
export async function* gathered(batches: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = [];
  let tokens = 0;
  for await (const batch of batches) {
    rows.push(...batch);
    tokens += batch.reduce((sum, row) => sum + row.tokens.length, 0);
    if (rows.length < rowsToSort && tokens < tokensToSend) continue;
    yield rows;
    rows = [];
    tokens = 0;
  }
  if (rows.length > 0) yield rows;
}
