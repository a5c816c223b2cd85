/** The services that the page acts through: one client each, made at the start. They connect when they are first asked. */
import { EvaluatorService, TrainerService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import type { Tls } from "@pretrain/tls";

export interface Peers extends Disposable {
  readonly trainer: PretrainClient<typeof TrainerService>;
  readonly evaluator: PretrainClient<typeof EvaluatorService>;
}

/** A peer that is not there makes no difference until it is asked: then the call throws Unavailable. */
export function connectPeers(addresses: { readonly trainer: string; readonly evaluator: string }, tls?: Tls): Peers {
  const trainer = connectClient(TrainerService, addresses.trainer, { tls });
  const evaluator = connectClient(EvaluatorService, addresses.evaluator, { tls });
  return {
    trainer,
    evaluator,
    [Symbol.dispose]() {
      trainer[Symbol.dispose]();
      evaluator[Symbol.dispose]();
    },
  };
}

/** Where a service of this process reaches itself: an address that means every address of the machine is none to connect to. */
export function ownAddress(bound: string): string {
  return bound.replace(/^(0\.0\.0\.0|\[::\]):/, "localhost:");
}
