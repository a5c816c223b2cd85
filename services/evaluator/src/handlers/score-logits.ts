/** ScoreLogits: another program's logits, by the rule of this one. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import { perplexity, totalLoss } from "@pretrain/measures";
import type { ScoreLogitsRequest, ScoreLogitsRequest_Row, ScoreLogitsResponseSchema } from "@pretrain/proto";
import type { ComputingOnDemand } from "../computing/computing-on-demand.ts";
import { lossMessage } from "../evaluation/loss-message.ts";
import type { LogitsRow } from "../worker/protocol.ts";

export interface ScoreLogitsDependencies {
  readonly computing: Pick<ComputingOnDemand, "borrow">;
}

/** @throws InvalidArgument naming each row's field that does not fit the others; Unavailable when the computing process is lost */
export const scoreLogits =
  ({ computing }: ScoreLogitsDependencies) =>
  async (request: ScoreLogitsRequest): Promise<MessageInitShape<typeof ScoreLogitsResponseSchema>> => {
    const { vocabularySize } = request;
    const faults = request.rows.flatMap((row, index) => faultsOf(row, vocabularySize, `rows[${index}]`));
    const [first, ...rest] = faults.slice(0, mostFaults);
    if (first !== undefined) throw new InvalidArgument([first, ...rest]);
    using process = await computing.borrow();
    const rows = await process.ask(
      "scoreLogits",
      request.rows.map((row) => logitsRow(row, vocabularySize)),
    );
    const losses = rows.map((nats) => ({ nats: nats.reduce((sum, loss) => sum + loss, 0), tokens: nats.length }));
    const total = totalLoss(losses);
    return {
      rows: rows.map((nats) => ({ nats: [...nats] })),
      loss: lossMessage(total),
      perplexity: perplexity(total) ?? Number.NaN,
    };
  };

const mostFaults = 10;

/** What does not fit in a row. Its numbers are looked at when its sizes belong together. */
function faultsOf(row: ScoreLogitsRequest_Row, vocabularySize: number, path: string): Violation[] {
  const { tokens, logits, inputLength, predictLength } = row;
  const faults: Violation[] = [];
  const fault = (field: string, description: string) => faults.push({ field: `${path}.${field}`, description });
  if (inputLength < 1) fault("input_length", `${inputLength}: no logits predict the first token`);
  if (predictLength < 1) fault("predict_length", `${predictLength}: there is no token to score`);
  const needed = inputLength + predictLength;
  if (tokens.length < needed) fault("tokens", `${tokens.length}; input_length and predict_length need ${needed}`);
  const bytes = tokens.length * vocabularySize * Float32Array.BYTES_PER_ELEMENT;
  if (logits.length !== bytes) {
    fault("logits", `${logits.length} bytes; ${tokens.length} tokens by ${vocabularySize} entries have ${bytes}`);
  }
  const foreign = tokens.findIndex((token) => token < 0 || token >= vocabularySize);
  if (foreign >= 0) fault(`tokens[${foreign}]`, `${tokens[foreign]}; the vocabulary has ${vocabularySize} entries`);
  const broken = faults.length > 0 ? -1 : floats(logits).findIndex((logit) => !(logit < Number.POSITIVE_INFINITY));
  if (broken >= 0) fault("logits", `${scoreAt(logits, broken, vocabularySize)}; finite ones and -Infinity are scored`);
  return faults;
}

function scoreAt(logits: Uint8Array, index: number, vocabularySize: number): string {
  const place = `position ${Math.floor(index / vocabularySize)}, token ${index % vocabularySize}`;
  return `the score at ${place} is ${floats(logits)[index]}`;
}

function logitsRow(row: ScoreLogitsRequest_Row, vocabularySize: number): LogitsRow {
  const { tokens, logits, inputLength, predictLength } = row;
  return { vocabularySize, tokens: Int32Array.from(tokens), logits: floats(logits), inputLength, predictLength };
}

/** Copied, since a message's bytes begin anywhere; this machine is little-endian, as the contract is. */
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
