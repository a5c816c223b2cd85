/** Test support: what was written down behind experiment 1.4.0, its facts in words of our own and its slips put right. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Annotation,
  Annotation_AuthorKind,
  AnnotationSchema,
  Finding_Kind,
  Improvement_Term,
  Review_State,
  Score_Subject,
} from "@pretrain/proto";
import type { AnnotationFields } from "../annotation-events.ts";
import { ended, experiment } from "./recorded-figures.ts";

const author = "实验 1.4.0 的记录";
const minuteMs = 60_000;

/** One a minute from an hour behind the end on, the oldest first. */
export function recordedAnnotations(): Annotation[] {
  const all = [
    ...findings(),
    ...diagnoses,
    ...improvements(),
    ...actions,
    ...judgements(),
    ...hypotheses,
    ...closing,
    changes,
    ...reviews(),
  ];
  return all.map((fields, index) =>
    create(AnnotationSchema, {
      author,
      authorKind: Annotation_AuthorKind.MODEL,
      ...fields,
      experiment,
      name: nameOf(index),
      time: timestampFromMs(ended + (60 + index) * minuteMs),
    }),
  );
}

function nameOf(index: number): string {
  return `${experiment}/annotations/${String(index + 1).padStart(2, "0")}`;
}

function findings(): AnnotationFields[] {
  const of = (kind: Finding_Kind, text: string, ...metrics: string[]): AnnotationFields => ({
    content: { case: "finding", value: { kind, text, metrics } },
  });
  const { FINDING, BREAKTHROUGH, VERIFICATION, CURRENT_STATE, LESSON } = Finding_Kind;
  return [
    of(FINDING, "训练损失从 8.94 降到 2.43，降幅 72.8 %。", "train/loss", "train/loss_reduction"),
    of(FINDING, "`model_original` 的生成方法有错，已经改好。"),
    of(FINDING, "评估脚本取错了一段 logits：这是本次最重要的发现。", "eval/inference_loss"),
    of(FINDING, "改好以后推理损失 2.26，训练损失 2.43，相差 0.17。", "eval/train_inference_gap"),
    of(BREAKTHROUGH, "评估脚本改好前后，推理损失从 12.34 变成 2.26，少了 81.7 %。", "eval/inference_loss"),
    of(BREAKTHROUGH, "根源是切片：`[-predict_length:]` 应为 `[input_length-1:input_length+predict_length-1]`。"),
    of(BREAKTHROUGH, "第 i 个位置的 logits 说的是第 i+1 个词元，切片必须让出这一位。"),
    of(VERIFICATION, "训练与推理的损失相差 0.17，在约定的 0.5 以内。", "eval/train_inference_gap"),
    of(VERIFICATION, "生成的文字通顺程度一般，质量平均 4.0 分。", "eval/quality"),
    of(CURRENT_STATE, "一致性：训练 2.43，推理 2.26。", "train/loss", "eval/inference_loss"),
    of(CURRENT_STATE, "代码：两处错误已在 model_original 和评估脚本里改好，另外两种模型还没有改。"),
    of(CURRENT_STATE, "模型：基准已经可用。"),
    of(LESSON, "两处看上去无关的错误都会影响评估，要成套地查。"),
    of(LESSON, "评估里差一个位置，结果就差很远。"),
    of(LESSON, "训练损失与推理损失对得上，才说明评估可信。"),
    of(LESSON, "先有可靠的评估基准，再谈别的。"),
  ];
}

const diagnoses: readonly AnnotationFields[] = [
  {
    content: {
      case: "diagnosis",
      value: {
        problem: "model_original 的 `_stream` 循环条件错了",
        symptom: "generate 只会重复输入，不出新词元",
        cause: "条件 `input_ids.shape[1] < max_new_tokens - 1` 没有把输入的长度算进去",
        solution: "改成 `input_ids.shape[1] < start + max_new_tokens`",
        mended: true,
        openPlaces: ["model.py", "model_no_feed.py"],
      },
    },
  },
  {
    content: {
      case: "diagnosis",
      value: {
        problem: "eval_model.py 取错了 logits 的位置",
        symptom: "推理损失显示为 12.34，实际是 2.26",
        cause: "用了 `logits[0, -predict_length:, :]` 和 `logits_to_keep`",
        detail: "第 i 个位置的 logits 预测第 i+1 个词元，要往前让一位",
        solution: "改成 `logits[0, input_length-1:input_length+predict_length-1, :]`",
        mended: true,
      },
    },
  },
];

function improvements(): AnnotationFields[] {
  const of = (term: Improvement_Term, text: string): AnnotationFields => ({
    content: { case: "improvement", value: { term, text } },
  });
  const { SHORT, MEDIUM, LONG } = Improvement_Term;
  return [
    of(SHORT, "在 model.py 和 model_no_feed.py 里改同样的错误。"),
    of(SHORT, "调 temperature 和 top_p，看生成会不会更好。"),
    of(MEDIUM, "三种模型都改好以后再比一次。"),
    of(MEDIUM, "加上 BLEU 和文本相似度。"),
    of(LONG, "系统地研究知识库的记忆层。"),
    of(LONG, "做一套完整的、可以重做的评估。"),
  ];
}

const firstAction = 16 + 2 + 6;

/** The first one was open, and is done by the one that takes its place; the last one is open still. */
const actions: readonly AnnotationFields[] = [
  { content: { case: "action", value: { text: "改 model_original.py 的 `_stream`" } } },
  {
    supersedes: nameOf(firstAction),
    content: { case: "action", value: { text: "改 model_original.py 的 `_stream`", done: true } },
  },
  { content: { case: "action", value: { text: "检查 model.py 和 model_no_feed.py 里同样的错误" } } },
];

function judgements(): AnnotationFields[] {
  const of = (subject: Score_Subject, points: number, reason: string, aspect = ""): AnnotationFields => ({
    content: { case: "score", value: { subject, points, reason, aspect } },
  });
  const { QUALITY, GOAL, SUCCESS, TRUST } = Score_Subject;
  return [
    of(QUALITY, 3, "长文本容易换题", "coherence"),
    of(QUALITY, 4, "语法过得去，语义常错", "fluency"),
    of(QUALITY, 7, "题材多，但不准", "diversity"),
    of(QUALITY, 2, "人名地名常常写错", "factual"),
    of(GOAL, 8, "基准可用"),
    of(SUCCESS, 9, "找到并改好两处错误，评估更准"),
    of(TRUST, 9, "训练和评估的数都可靠"),
  ];
}

const hypotheses: readonly AnnotationFields[] = [
  {
    content: {
      case: "hypothesis",
      value: {
        statement: "model_original 可以当稳定的基准",
        result: "成立",
        evidence: "训练损失收敛到 2.43，改好以后能生成文字",
        confidence: 0.9,
        metrics: ["train/loss"],
      },
    },
  },
  {
    content: {
      case: "hypothesis",
      value: {
        statement: "默认参数能正常训练",
        result: "成立",
        evidence: "全程没有中断，也没有异常",
        confidence: 0.95,
      },
    },
  },
];

const closing: readonly AnnotationFields[] = [
  {
    content: {
      case: "conclusion",
      value: {
        text: [
          "基准建成：损失从 8.94 降到 2.43，降幅 72.8 %，用时 11 小时 43 分钟。",
          "评估脚本的错误让推理损失显示为 12.34；改好以后是 2.26，少了 81.7 %。",
          "训练目标达到；事先的预测(损失 1.5 到 2.0，4 到 6 小时，显存 18 到 20 GB)没有一项说中。",
        ].join("\n"),
      },
    },
  },
  {
    content: {
      case: "nextExperiment",
      value: {
        experimentId: "1.4.1",
        changes: "改好另外两种模型的生成方法，再与 model_original 比较",
        expectation: "得到知识库模型的真实数据",
      },
    },
  },
];

/** The two files that were repaired behind the run, which the sealed list could not know; their lines were not counted. */
const changes: AnnotationFields = {
  content: {
    case: "changes",
    value: {
      source: "given",
      uncommitted: true,
      kind: "实验配置和修复",
      files: [
        { path: "run_file/experiment_1_4_0.sh", kind: "added", addedLines: 336n, deletedLines: 0n },
        { path: "experiment/EXPERIMENT_1_4_0.md", kind: "modified", reason: "实验记录" },
        { path: "model/model_original.py", kind: "modified", reason: "改 `_stream` 的循环条件" },
        { path: "eval_model.py", kind: "modified", reason: "改 logits 的切片" },
      ],
    },
  },
};

function reviews(): AnnotationFields[] {
  const of = (state: Review_State, text: string): AnnotationFields => ({
    content: { case: "review", value: { state, text } },
  });
  return [of(Review_State.REQUESTED, "请审核"), of(Review_State.CHANGES_REQUESTED, "另外两种模型里同样的错误要尽快改")];
}
