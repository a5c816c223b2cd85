/** The columns of steps that curves are made of, by name, and what each is in the table of steps. */
export const stepColumns = {
  microStep: "micro_step",
  timeMs: "time_ms",
  lossNats: "loss_nats",
  lossTokens: "loss_tokens",
  learningRate: "learning_rate",
  gradientNorm: "gradient_norm",
  clipScale: "clip_scale",
  tokensSeen: "tokens_seen",
  tokens: "tokens",
  positions: "positions",
  dataSeconds: "data_ms / 1000",
  forwardBackwardSeconds: "forward_backward_ms / 1000",
  optimizerSeconds: "optimizer_ms / 1000",
  otherSeconds: "other_ms / 1000",
  totalSeconds: "total_ms / 1000",
} as const;

export type StepColumn = keyof typeof stepColumns;

export const stepColumnNames = Object.keys(stepColumns) as readonly StepColumn[];
