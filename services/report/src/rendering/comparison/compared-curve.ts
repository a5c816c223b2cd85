/** The loss curve of one of several experiments. */
import type { CurvePoint } from "@pretrain/proto";

export interface ComparedCurve {
  /** Of its experiment. */
  readonly title: string;
  readonly points: readonly CurvePoint[];
}
