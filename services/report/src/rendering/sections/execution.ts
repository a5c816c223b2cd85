/** The execution record: moments, what was executed, phases, attempts, transitions. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AttemptStarted, Execution, Moments, PhaseEnded, Report } from "@pretrain/proto";
import { absent, clock, counted, duration, moment } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { reasonText, stateCell, stateText } from "../wording.ts";

export function executionSection(report: Report, words: Phrases): Section {
  const { moments, execution, time } = report;
  const { execution: texts, document } = words;
  return {
    id: "execution",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: [
      { kind: "facts", rows: [...stateFacts(execution, words), ...momentFacts(moments, texts)] },
      {
        kind: "facts",
        rows: [
          [texts.queued, duration(time?.queuedSeconds)],
          [texts.prepared, duration(time?.preparingSeconds)],
          [texts.trained, duration(time?.trainingSeconds)],
          [texts.total, duration(time?.totalSeconds)],
        ],
      },
      { kind: "heading", text: texts.commandHeading },
      ...commandBlocks(report, texts),
      { kind: "heading", text: texts.phases },
      ...orNone([phaseTable(execution?.phases ?? [], words)], !execution?.phases.length, document.none),
      { kind: "heading", text: texts.attempts },
      ...orNone([attemptTable(execution, texts)], !execution?.attempts.length, document.none),
      { kind: "heading", text: texts.transitions },
      ...orNone([transitionTable(execution, words)], !execution?.transitions.length, document.none),
    ],
  };
}

function stateFacts(execution: Execution | undefined, words: Phrases): (readonly [string, Cell])[] {
  const { execution: texts } = words;
  const why = whyCell(execution?.reason, execution?.message, words);
  return [[texts.state, stateCell(execution?.state, words)], ...(why === "" ? [] : [[texts.message, why] as const])];
}

/** The reason in the record's words, the message in the program's. */
function whyCell(reason: Execution["reason"] | undefined, message: string | undefined, words: Phrases): Cell {
  const named = reasonText(reason, words);
  if (!message) return named;
  return { words: named === "" ? message : `${named}: ${message}` };
}

function momentFacts(moments: Moments | undefined, texts: Phrases["execution"]): (readonly [string, Cell])[] {
  return [
    [texts.created, moment(moments?.created)],
    [texts.started, moment(moments?.started)],
    [texts.trainingStarted, moment(moments?.trainingStarted)],
    [texts.trainingEnded, moment(moments?.trainingEnded)],
    [texts.ended, moment(moments?.ended)],
  ];
}

function commandBlocks({ title, recipeSha256, execution }: Report, texts: Phrases["execution"]): Block[] {
  const workers = (execution?.attempts ?? []).map(({ processId, attempt }) =>
    texts.workerOf(String(processId), String(attempt)),
  );
  return [
    {
      kind: "facts",
      rows: [
        [texts.recipe, recipeSha256 === "" ? absent : { code: recipeSha256 }],
        [texts.worker, workers.length === 0 ? absent : workers.join("; ")],
        [texts.background, texts.backgroundAnswer],
      ],
    },
    {
      kind: "source",
      title: texts.command,
      text: `pretrain start recipe.json --id ${title}-again`,
      language: "bash",
    },
  ];
}

function phaseTable(phases: readonly PhaseEnded[], { execution: texts, word }: Phrases): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.attempt, numeric: true },
      { title: texts.phase },
      { title: texts.began },
      { title: texts.endedAt },
      { title: texts.took, numeric: true },
      { title: texts.state },
      { title: texts.note },
    ],
    rows: phases.map((phase): Cell[] => [
      String(phase.attempt),
      texts.phaseNames[phase.phase] ?? phase.phase,
      clock(phase.startTime),
      clock(phase.endTime),
      duration(secondsOf(phase)),
      phase.succeeded ? { text: word.done, tone: "good" } : { text: word.failed, tone: "bad" },
      { words: phase.note },
    ]),
  };
}

function secondsOf({ startTime, endTime }: PhaseEnded): number | undefined {
  return startTime && endTime ? (timestampMs(endTime) - timestampMs(startTime)) / 1000 : undefined;
}

function attemptTable(execution: Execution | undefined, texts: Phrases["execution"]): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.attempt, numeric: true },
      { title: texts.taken },
      { title: texts.process, numeric: true },
      { title: texts.mark },
      { title: texts.wentOnFrom, numeric: true },
      { title: texts.rowsAtOnce, numeric: true },
      { title: texts.microStepsInAll, numeric: true },
      { title: texts.optimizerStepsInAll, numeric: true },
    ],
    rows: (execution?.attempts ?? []).map((attempt) => [
      String(attempt.attempt),
      moment(attempt.time),
      String(attempt.processId),
      { code: attempt.attemptNonce },
      originCell(attempt, texts),
      String(attempt.deviceBatchRows),
      counted(attempt.totalMicroSteps),
      counted(attempt.totalOptimizerSteps),
    ]),
  };
}

/** Where it went on from, and whether its bits can be other ones for it. */
function originCell({ resumedFromMicroStep, inexact }: AttemptStarted, texts: Phrases["execution"]): Cell {
  if (resumedFromMicroStep === 0n) return texts.beginning;
  const origin = counted(resumedFromMicroStep);
  return inexact.length === 0 ? origin : { text: texts.inexact(origin, inexact.join("; ")), tone: "open" };
}

function transitionTable(execution: Execution | undefined, words: Phrases): Block {
  const { execution: texts } = words;
  return {
    kind: "table",
    columns: [
      { title: texts.number, numeric: true },
      { title: texts.when },
      { title: texts.from },
      { title: texts.to },
      { title: texts.attempt, numeric: true },
      { title: texts.message },
    ],
    rows: (execution?.transitions ?? []).map((transition) => [
      String(transition.sequence),
      moment(transition.time),
      stateText(transition.from, words),
      stateCell(transition.to, words),
      transition.attempt === 0 ? absent : String(transition.attempt),
      whyCell(transition.reason, transition.message, words),
    ]),
  };
}
