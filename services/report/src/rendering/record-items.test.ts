/** The items of the original record, M1 to M30, each where it belongs, in both languages and both forms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clone } from "@bufbuild/protobuf";
import { Experiment_State, type Report, ReportSchema, Review_State } from "@pretrain/proto";
import { measuredDigest } from "../record/reviews.ts";
import { everythingReport } from "../test-support/everything-report.ts";
import { documentOfReport } from "./document-of-report.ts";
import { type Language, languages } from "./language/language.ts";
import { recordMarkdown, recordSectionsHtml } from "./render-record.ts";

const report = everythingReport();

/** An item, the section that shows it, and something of it in each language. */
const items: readonly (readonly [
  item: string,
  section: string,
  english: readonly string[],
  chinese: readonly string[],
])[] = [
  [
    "M1 thinking",
    "design",
    ["Analysis of the problem", "Choice of the parameters", "Expected impact"],
    ["问题分析", "参数选择逻辑", "预期影响评估"],
  ],
  ["M2 decisions", "decisions", ["Options", "Reason", "模型类型选择"], ["选项", "理由", "模型类型选择"]],
  ["M3 trade-offs", "trade-offs", ["Balance", "稳定性 / 速度"], ["取舍", "稳定性 / 速度"]],
  [
    "M4 sums of the changes, and whose",
    "changes",
    ["version control", "338 (counted in 2 of them)"],
    ["版本控制", "338（其中 2 个文件有行数统计）"],
  ],
  [
    "M5 list of changes",
    "changes",
    ["run_file/run.sh", "Path", "added", "off by one"],
    ["run_file/run.sh", "文件路径", "新建", "off by one"],
  ],
  ["M6 code, word for word", "changes", ["logits[start - 1 : stop - 1]"], ["logits[start - 1 : stop - 1]"]],
  [
    "M7 against the version before",
    "changes",
    ["Function", "Performance", "Compatibility", "Dependencies"],
    ["功能变化", "性能影响", "兼容性", "依赖变更"],
  ],
  [
    "M8 summary of the difference",
    "changes",
    ["+ run_file/run.sh  +336 -0", "~ eval.py  +2 -3", "- curve.png"],
    ["+ run_file/run.sh  +336 -0", "~ eval.py  +2 -3", "- curve.png"],
  ],
  [
    "M9 goal",
    "goal",
    ["Based on", "Purpose", "Expected result", "Focus"],
    ["基于实验", "实验目的", "预期结果", "实验重点"],
  ],
  [
    "M9 basic information",
    "basics",
    ["Created", "Recipe sealed", "before the first step began"],
    ["创建时间", "配方封存", "比第一步开始早"],
  ],
  [
    "M10 model",
    "model",
    ["n_heads", "Attention (query) heads", "unused: the knowledge base is off"],
    ["n_heads", "注意力头数", "未使用：知识库已关闭"],
  ],
  ["M10 training", "training-configuration", ["learning_rate", "Peak learning rate"], ["learning_rate", "学习率峰值"]],
  [
    "M10 hardware",
    "hardware",
    ["cuda_visible_devices", "memory_monitor_interval"],
    ["cuda_visible_devices", "内存监控的采样间隔"],
  ],
  [
    "M11 execution",
    "execution",
    ["process 8667, attempt 1", "Phases", "pretrain start recipe.json"],
    ["进程 8667，第 1 次尝试", "阶段", "pretrain start recipe.json"],
  ],
  ["M11 errors", "log", ["! warning", "bfloat16 is not computed"], ["! 警告", "bfloat16 is not computed"]],
  ["M11 monitoring", "monitoring", ["Early figures", "Forward and backward"], ["早期指标", "前向与反向传播"]],
  [
    "M12 key indicators",
    "indicators",
    ["★ excellent", "✗ missed", "it compares so with the target's stricter bound, too"],
    ["★ 优秀", "✗ 未达标", "同时满足目标中更严格的界限"],
  ],
  [
    "M13 curve",
    "curve",
    ["down by 49.9 % of the first value", "1 spike by the rule"],
    ["降幅为初始值的 49.9 %", "按警告规则共有 1 处尖峰"],
  ],
  [
    "M13 stability",
    "stability",
    ["were clipped", "2 attempts computed it, with 1 interruption."],
    ["因而被裁剪", "共有 2 次尝试，其间中断 1 次"],
  ],
  ["M13 memory", "memory", ["of the machine's memory", "per micro-step"], ["占机器内存的", "每个微步变化"]],
  [
    "M13 time",
    "time",
    ["Forward and backward pass take", "The rest is", "of the early time"],
    ["其中前向与反向传播", "其余", "相对早期用时变化"],
  ],
  ["M14 samples", "samples", ["Sample 1 ", "Sample 10 "], ["样例 1 ", "样例 10 "]],
  [
    "J11 quality",
    "quality",
    ["coherence", "Mean of 4: 4.0 of 10.", "superseded"],
    ["连贯性", "4 项的均值：4.0（满分 10）。", "已被取代"],
  ],
  [
    "M15 against the baseline",
    "baseline",
    ["This experiment", "Target", "State", "Quality of the text"],
    ["本实验", "基线期望", "性能状态", "生成质量"],
  ],
  [
    "M16 findings",
    "findings",
    [
      "训练 Loss 在第一轮下降最快。",
      "rests on train/loss 3.5763, eval/loss 3.7760",
      "! 77.9 % is no number of this record; the nearest is",
    ],
    ["依据：train/loss 3.5763, eval/loss 3.7760", "! 77.9 % 不是本记录中的数值"],
  ],
  ["M17 breakthroughs", "breakthroughs", ["Position i scores token i + 1."], ["Position i scores token i + 1."]],
  ["M18 verification", "verifications", ["An oracle costs nothing"], ["An oracle costs nothing"]],
  [
    "M19 diagnosis",
    "diagnoses",
    ["Symptom", "Root cause", "Technical detail", "Fix", "! mended here, open elsewhere", "model_no_feed.py"],
    ["表现", "根本原因", "技术细节", "解决方案", "! 此处已修复，别处仍未修复"],
  ],
  ["M20 current state", "current-state", ["训练与推理一致。"], ["训练与推理一致。"]],
  [
    "M21 improvements",
    "improvements",
    ["Short term", "Medium term", "Long term", "tune the temperature"],
    ["短期优化", "中期改进", "长期研究方向"],
  ],
  [
    "M22 hypotheses, sealed and later",
    "hypotheses",
    ["Sealed before the run", "✓ confirmed", "Made later, when numbers were known", "95.0 %"],
    ["运行前已封存", "✓ 成立", "事后提出", "95.0 %"],
  ],
  ["A14 predictions", "predictions", ["0 of 2 predictions hit."], ["2 项预测中命中 0 项。"]],
  [
    "M23 scores",
    "assessment",
    ["Goal reached", "Success", "Trust in the data", "why 8", "林岚 (person)"],
    ["目标达成情况", "实验成功度", "数据可信度", "林岚（人）"],
  ],
  ["M24 conclusion", "conclusion", ["基线已经建立。"], ["基线已经建立。"]],
  ["M24 lessons", "lessons", ["Check the code that measures"], ["Check the code that measures"]],
  [
    "M25 actions",
    "actions",
    ["1 of 2 done.", "superseded by experiments/1-4-0/annotations/action-done"],
    ["2 项中已完成 1 项。", "已被 experiments/1-4-0/annotations/action-done 取代"],
  ],
  [
    "M26 next experiment",
    "next-experiment",
    ["pretrain fork 1.4.0/24 1.4.1", "a real comparison"],
    ["pretrain fork 1.4.0/24 1.4.1", "预期改进"],
  ],
  [
    "M27 files",
    "files",
    ["checkpoints/24/model.safetensors", "report.json is the source"],
    ["checkpoints/24/model.safetensors", "report.json 是源文件"],
  ],
  ["M27 environment", "environment", ["AMD EPYC 7B13", "Parallel strategy"], ["AMD EPYC 7B13", "并行策略"]],
  [
    "M28 completion",
    "completion",
    ["Completed", "2026-05-17 09:30:32 UTC (COMPLETED)", "commit beef5678", "approved, and changed since"],
    ["完成时间", "2026-05-17 09:30:32 UTC（已完成）", "提交 beef5678", "通过之后又有变化"],
  ],
  [
    "M29 live status",
    "live",
    ["pretrain watch 1.4.0", "CancelExperiment", "It is over"],
    ["pretrain watch 1.4.0", "CancelExperiment", "实验已经结束"],
  ],
  ["O10 changes added later", "changes", ["Added later"], ["事后补充"]],
  [
    "resume proof",
    "continuity",
    ["every micro-step that was computed again came out with the same loss"],
    ["重复计算的每个微步 Loss 都逐位相同"],
  ],
  ["chain", "chain", ["5e5e5e", "pretrain verify 1.4.0", "pretrain verify ./1.4.0-bundle"], ["5e5e5e", "对照账本验证"]],
  [
    "L5 corrections",
    "corrections",
    ["3.7160", "2.2600", "the slice began a token late"],
    ["3.7160", "2.2600", "the slice began a token late"],
  ],
  ["numbers without support", "unsupported", ["77.9 %", "1234"], ["77.9 %", "1234"]],
];

for (const [item, id, english, chinese] of items) {
  test(`${item}: section ${id}`, () => {
    for (const language of languages) {
      const { sections } = documentOfReport(report, language);
      const title = sections.find((section) => section.id === id)?.title ?? "";
      const page = textOf(recordSectionsHtml(report, language, [id]));
      const markdown = sectionOfMarkdown(recordMarkdown(report, language), title);
      for (const words of language === "en" ? english : chinese) {
        assert.ok(page.includes(words), `${language} page: ${words}`);
        assert.ok(markdown.includes(words), `${language} Markdown: ${words}\n${markdown}`);
      }
    }
  });
}

/** Of HTML: without tags, its entities read. */
function textOf(page: string): string {
  return page
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

function sectionOfMarkdown(document: string, title: string): string {
  const [, rest = ""] = document.split(`\n### ${title}\n`);
  const [section = ""] = rest.split(/\n#{2,3} /);
  return section.replaceAll(/\\(?=[^\w\s])/g, "");
}

test("what took no other's place and is not done has an empty box, what is done a ticked one, what was superseded is struck", () => {
  const markdown = recordMarkdown(report, "en");
  assert.match(markdown, /- \[ \] repair the other two models<br>/);
  assert.match(markdown, /- \[ \] ~~修复 \\_stream~~<br>/);
  assert.match(markdown, /- \[x\] 修复 \\_stream<br>/);
  const page = recordSectionsHtml(report, "en", ["actions"]);
  assert.match(page, /<li><input type="checkbox" disabled aria-label="not done"> <s lang="zh">修复 _stream<\/s>/);
  assert.match(
    page,
    /<li><input type="checkbox" checked disabled aria-label="done"> <span lang="zh">修复 _stream<\/span>/,
  );
});

test("an approval of the record as it stands is one, until anything that was measured changes", () => {
  const reviewed = clone(ReportSchema, report);
  const last = reviewed.annotations.findLast(({ content }) => content.case === "review");
  assert.ok(last?.content.case === "review" && last.content.value.state === Review_State.APPROVED);
  last.content.value.measuredSha256 = measuredDigest(reviewed);
  assert.ok(completion(reviewed).includes("| Review | ✓ approved |"));
  const changed = clone(ReportSchema, reviewed);
  if (changed.training) changed.training.lastLoss = 2.4324;
  assert.ok(
    completion(changed).includes("| Review | ! approved, and changed since: what was approved is another record |"),
  );
});

function completion(of: Report): string {
  return sectionOfMarkdown(recordMarkdown(of, "en"), "Completion");
}

test("while it runs no estimate and no end is claimed, and the live status says that it goes on", () => {
  const running = clone(ReportSchema, report);
  if (running.execution) running.execution.state = Experiment_State.RUNNING;
  delete running.moments?.ended;
  const said = (language: Language) => recordMarkdown(running, language);
  assert.ok(said("en").includes("It has not ended: RUNNING.") && said("en").includes("| Completed | not yet |"));
  assert.ok(
    said("zh").includes("运行尚未结束，当前状态为“训练中”。") && said("zh").includes("| 完成时间 | 尚未完成 |"),
  );
});
