/** SelfTest: the canaries, now. */
import type { Certificate, SelfTestRequest } from "@pretrain/proto";
import type { ComputingOnDemand } from "../computing/computing-on-demand.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { certificateMessage } from "../evaluation/certificate.ts";
import { checkpointNamed } from "../evaluation/checkpoint-name.ts";

export interface SelfTestDependencies extends Sources {
  readonly computing: Pick<ComputingOnDemand, "borrow">;
  /** Is told of each canary that failed. */
  readonly onCanaryFailed: (canary: string) => void;
}

/** @throws NotFound when there is no such checkpoint; Unavailable when the computing process is lost */
export const selfTest =
  ({ computing, onCanaryFailed, ...sources }: SelfTestDependencies) =>
  async ({ checkpoint }: SelfTestRequest): Promise<Certificate> => {
    const found = checkpoint === "" ? undefined : await findModel(sources, checkpointNamed(checkpoint));
    using process = await computing.borrow();
    const proven = await process.ask("selfTest", found === undefined ? {} : { source: found.source });
    for (const { name, outcome } of proven.canaries) if (outcome === "FAILED") onCanaryFailed(name);
    const { manifestSha256 = "", tokenizerSha256 = "" } = found?.source ?? {};
    return certificateMessage(proven, { checkpointSha256: manifestSha256, tokenizerSha256 });
  };
