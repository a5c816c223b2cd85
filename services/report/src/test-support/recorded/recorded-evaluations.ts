/** Test support: the two measurements of the ten samples: with the slice that began one token late, and with the right one. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Evaluation_State, type EvaluationEnded, EvaluationEndedSchema } from "@pretrain/proto";
import { samples as texts } from "../sample-texts.ts";
import { ended, experiment, inferenceLoss, mistakenLoss } from "./recorded-figures.ts";

const minuteMs = 60_000;
const author = "实验 1.4.0 的记录";

export function recordedEvaluations(microStep: number): EvaluationEnded[] {
  const first = "evaluations/1-4-0";
  const supersedes = {
    evaluation: first,
    cause:
      "logits were cut by [-predict_length:] and by logits_to_keep; the logits of position i are about token i + 1",
    fix: "logits[input_length-1 : input_length+predict_length-1]",
    author,
  };
  return [
    evaluation(microStep, 20 * minuteMs, { name: first, ...measured(mistakenLoss) }),
    evaluation(microStep, 40 * minuteMs, { name: `${first}-c1`, supersedes, ...measured(inferenceLoss), samples }),
  ];
}

type Fields = Readonly<Record<string, unknown>> & { readonly name: string };

function evaluation(microStep: number, afterMs: number, fields: Fields): EvaluationEnded {
  const time = timestampFromMs(ended + afterMs);
  return create(EvaluationEndedSchema, {
    experiment,
    time,
    evaluation: {
      state: Evaluation_State.SUCCEEDED,
      checkpoint: `${experiment}/checkpoints/${microStep}`,
      microStep: BigInt(microStep),
      settings: { samples: 10, inputLength: 100, predictLength: 100, batchRows: 8 },
      endTime: time,
      generation: { requestedTokens: 1000n, generatedTokens: 1000n, eosFound: 0n, samples: 10n },
      ...fields,
    },
  });
}

/** Ten samples of 100 predicted tokens. */
function measured(natsPerToken: number) {
  return { inferenceLoss: { nats: natsPerToken * 1000, tokens: 1000n, natsPerToken } };
}

/** Three of the ten are recorded with their texts and losses; of the other seven nothing is but that they were there. */
const recordedLosses = [2.08, 1.64, 1.99];

const unrecorded = { inputText: "(not recorded)", predictedText: "(not recorded)", trueText: "(not recorded)" };

const samples = Array.from({ length: 10 }, (_, index) => {
  const natsPerToken = recordedLosses[index];
  const generated = { rowId: BigInt(index), generatedTokens: 100, stopReason: "max_new_tokens" };
  if (natsPerToken === undefined) return { ...generated, ...unrecorded };
  return { ...generated, ...texts[index], loss: { nats: natsPerToken * 100, tokens: 100n, natsPerToken } };
});
