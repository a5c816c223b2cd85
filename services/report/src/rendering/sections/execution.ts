/** The execution record: moments, phases, attempts, transitions. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AttemptStarted, Execution, Moments, PhaseEnded, Report } from "@pretrain/proto";
import { absent, clock, counted, duration, moment } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { reasonName, stateCell, stateName } from "../wording.ts";

export function executionSection({ moments, execution, time }: Report): Section {
  return {
    id: "execution",
    title: "Execution",
    origin: "measured",
    source: "from the events of the run; all times in UTC",
    blocks: [
      { kind: "facts", rows: [...stateFacts(execution), ...momentFacts(moments)] },
      {
        kind: "facts",
        rows: [
          ["Waited in the queue", duration(time?.queuedSeconds)],
          ["Prepared", duration(time?.preparingSeconds)],
          ["Trained, first step's begin to last step's end", duration(time?.trainingSeconds)],
          ["From taken to ended", duration(time?.totalSeconds)],
        ],
      },
      { kind: "heading", text: "Phases" },
      ...orNone([phaseTable(execution?.phases ?? [])], !execution?.phases.length),
      { kind: "heading", text: "Attempts" },
      ...orNone([attemptTable(execution)], !execution?.attempts.length),
      { kind: "heading", text: "Transitions" },
      ...orNone([transitionTable(execution)], !execution?.transitions.length),
    ],
  };
}

function stateFacts(execution: Execution | undefined): (readonly [string, Cell])[] {
  const why = [reasonName(execution?.reason), execution?.message].filter(Boolean).join(": ");
  return [["State", stateCell(execution?.state)], ...(why === "" ? [] : [["Message", why] as const])];
}

function momentFacts(moments: Moments | undefined): (readonly [string, Cell])[] {
  return [
    ["Created (request accepted)", moment(moments?.created)],
    ["Started (a worker took it)", moment(moments?.started)],
    ["Training started (first step began)", moment(moments?.trainingStarted)],
    ["Training ended (last step ended)", moment(moments?.trainingEnded)],
    ["Ended (final state)", moment(moments?.ended)],
  ];
}

function phaseTable(phases: readonly PhaseEnded[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Attempt", numeric: true },
      { title: "Phase" },
      { title: "Began" },
      { title: "Ended" },
      { title: "Took", numeric: true },
      { title: "State" },
      { title: "Note" },
    ],
    rows: phases.map((phase) => [
      String(phase.attempt),
      phase.phase,
      clock(phase.startTime),
      clock(phase.endTime),
      duration(secondsOf(phase)),
      phase.succeeded ? { text: "✓ done", tone: "good" } : { text: "✗ failed", tone: "bad" },
      phase.note,
    ]),
  };
}

function secondsOf({ startTime, endTime }: PhaseEnded): number | undefined {
  return startTime && endTime ? (timestampMs(endTime) - timestampMs(startTime)) / 1000 : undefined;
}

function attemptTable(execution: Execution | undefined): Block {
  return {
    kind: "table",
    columns: [
      { title: "Attempt", numeric: true },
      { title: "Taken" },
      { title: "Process", numeric: true },
      { title: "Mark" },
      { title: "Went on from micro-step", numeric: true },
      { title: "Rows at once", numeric: true },
      { title: "Micro-steps in all", numeric: true },
      { title: "Optimizer steps in all", numeric: true },
    ],
    rows: (execution?.attempts ?? []).map((attempt) => [
      String(attempt.attempt),
      moment(attempt.time),
      String(attempt.processId),
      { code: attempt.attemptNonce },
      originCell(attempt),
      String(attempt.deviceBatchRows),
      counted(attempt.totalMicroSteps),
      counted(attempt.totalOptimizerSteps),
    ]),
  };
}

/** Where it went on from, and whether its bits can be other ones for it. */
function originCell({ resumedFromMicroStep, inexact }: AttemptStarted): Cell {
  if (resumedFromMicroStep === 0n) return "the beginning";
  const origin = counted(resumedFromMicroStep);
  return inexact.length === 0 ? origin : { text: `${origin}, not exact: ${inexact.join("; ")}`, tone: "open" };
}

function transitionTable(execution: Execution | undefined): Block {
  return {
    kind: "table",
    columns: [
      { title: "No.", numeric: true },
      { title: "When" },
      { title: "From" },
      { title: "To" },
      { title: "Attempt", numeric: true },
      { title: "Message" },
    ],
    rows: (execution?.transitions ?? []).map((transition) => [
      String(transition.sequence),
      moment(transition.time),
      stateName(transition.from),
      stateCell(transition.to),
      transition.attempt === 0 ? absent : String(transition.attempt),
      [reasonName(transition.reason), transition.message].filter(Boolean).join(": "),
    ]),
  };
}
