/** ScoreText: what each token of a text costs. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { bitsPerByte, totalLoss } from "@pretrain/measures";
import type { ScoreTextRequest, ScoreTextResponseSchema } from "@pretrain/proto";
import type { ComputingOnDemand } from "../computing/computing-on-demand.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { certificateMessage } from "../evaluation/certificate.ts";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";
import { lossMessage } from "../evaluation/loss-message.ts";

export interface ScoreTextDependencies extends Sources {
  readonly computing: Pick<ComputingOnDemand, "borrow">;
}

/**
 * @throws NotFound when there is no such checkpoint; InvalidArgument when there is no token to score, too many, or context and stride
 *   make no sense; FailedPrecondition FAILED_CERTIFICATION when a canary failed, NOT_FINITE when a loss is no number; Unavailable
 *   when the computing process is lost
 */
export const scoreText =
  ({ computing, ...sources }: ScoreTextDependencies) =>
  async (request: ScoreTextRequest): Promise<MessageInitShape<typeof ScoreTextResponseSchema>> => {
    const { source } = await findModel(sources, checkpointNamed(request.checkpoint));
    using process = await computing.borrow();
    const { text, context, stride, eos } = request;
    const scored = await process.ask("scoreText", { source, text, context, stride, eos });
    const loaded = { checkpointSha256: source.manifestSha256, tokenizerSha256: source.tokenizerSha256 };
    const bits = bitsPerByte(scored.text);
    return {
      tokens: scored.tokens.map((token) => ({ ...token, byteOffset: BigInt(token.byteOffset) })),
      loss: lossMessage(totalLoss(scored.tokens.map(({ nats }) => ({ nats, tokens: 1 })))),
      ...(bits !== undefined && { bitsPerByte: bits }),
      checkpointSha256: source.manifestSha256,
      certificate: certificateMessage(scored.certificate, loaded),
    };
  };
