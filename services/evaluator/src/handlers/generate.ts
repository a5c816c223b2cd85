/** Generate: a prompt is continued, a token at a time, as fast as the caller reads. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateRequest, GenerateResponseSchema } from "@pretrain/proto";
import type { ComputingOnDemand } from "../computing/computing-on-demand.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";

export interface GenerateDependencies extends Sources {
  readonly computing: Pick<ComputingOnDemand, "borrow">;
}

type Answer = MessageInitShape<typeof GenerateResponseSchema>;

/**
 * @throws NotFound when there is no such checkpoint; InvalidArgument when the prompt is longer than the model's sequences;
 *   ResourceExhausted when too many texts are being continued; FailedPrecondition when a canary failed, or the weights give what is
 *   no number; Unavailable when the computing process is lost
 */
export const generate = ({ computing, ...sources }: GenerateDependencies) =>
  async function* (request: GenerateRequest, signal: AbortSignal): AsyncGenerator<Answer> {
    const { source } = await findModel(sources, checkpointNamed(request.checkpoint));
    using process = await computing.borrow();
    const { prompt, maxNewTokens, temperature, topK, topP, seed, stop, ignoreEos } = request;
    const sampling = { temperature, topK, topP: topP === 0 ? 1 : topP, seed };
    const text = { prompt, maxNewTokens, sampling, stops: stop, ignoreEos };
    const { generation } = await process.ask("beginGeneration", { source, ...text });
    try {
      while (!signal.aborted) {
        const next = await process.ask("nextToken", { generation });
        yield next;
        if ("stopReason" in next) return;
      }
    } finally {
      // Not waited for: a process that is gone has forgotten it anyway, and the caller has his answer.
      process.ask("endGeneration", { generation }).catch(() => undefined);
    }
  };
