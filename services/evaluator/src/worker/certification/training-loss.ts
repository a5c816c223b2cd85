/** The loss of an evaluation can stand beside that of training only if both mean the same. */
import type { LoadedModel } from "../load-model.ts";
import { scoreRows } from "../score-rows.ts";
import { type Canary, shown } from "./canary.ts";
import { rowsOf, textRows } from "./exam-rows.ts";

export const trainingLoss: Canary<LoadedModel> = {
  name: "training_loss",
  claim: "rows cost what the micro-step of training says that they cost",
  unit: "ratio",
  limit: 1e-5, // 1e-7 was found; a single loss too many or too few among 70 is 1e-2
  shapes: "widest",
  examine: (model) => {
    const { program, shape, tokenizer } = model;
    const rows = textRows(tokenizer, [Math.min(50, shape.maxSequenceLength), 20]); // padded by training to whole sequences
    const evaluated = scoreRows(model, rowsOf(rows), rows.length).reduce((sum, { nats }) => sum + nats, 0);
    const trained = program.trainingLoss(rows);
    const evidence = `${rows.length} rows cost ${shown(evaluated)} nats here, ${shown(trained)} in training`;
    return { deviation: Math.abs(evaluated - trained) / trained, evidence };
  },
};
