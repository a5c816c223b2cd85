/** The ways in which an attempt can end other than well. */
import { Experiment_Reason as Reason } from "@pretrain/proto";
import type { FaultReason } from "../worker/protocol.ts";

/** The experiment cannot be completed, by whichever attempt. */
export class ExperimentFault extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** This attempt cannot go on; another one may. */
export class AttemptFault extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What this worker was to compute on is not there: any attempt of another worker may go on. */
export class DeviceMissing extends AttemptFault {
  constructor(message: string) {
    super(Reason.SHUTDOWN, message); // no fault of the experiment's: it does not count among the attempts that came to nothing
  }
}

/** Somebody wished the attempt to stop, and it has. */
export class Stopped extends Error {}

/** Another attempt holds the experiment: this one writes not another word. */
export class Fenced extends Error {}

const reasons: Readonly<Record<FaultReason, Reason>> = {
  NOT_FINITE: Reason.NOT_FINITE,
  OUT_OF_RESOURCES: Reason.OUT_OF_RESOURCES,
  DATA_LOSS: Reason.DATA_LOSS,
};

export function faultOfChild(reason: FaultReason, message: string): ExperimentFault {
  return new ExperimentFault(reasons[reason], message);
}
