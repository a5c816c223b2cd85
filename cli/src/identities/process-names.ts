/** Whom a set-up makes certificates for: every process of the system, the broker, and whoever looks at the broker. */
export const processNames = [
  "data-shard",
  "trainer",
  "trainer-worker",
  "evaluator",
  "evaluator-worker",
  "report",
  "nats",
  "viewer",
] as const;

export type ProcessName = (typeof processNames)[number];
