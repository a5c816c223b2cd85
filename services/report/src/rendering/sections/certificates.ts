/** What the code that made the numbers has proven of itself; of what was not certified, why. */

import type { Report } from "@pretrain/proto";
import { type Canary, Canary_Outcome, type Certificate, type Evaluation, Evaluation_State } from "@pretrain/proto";
import { stands } from "../../record/known-evaluations.ts";
import { certificateCell, deviationText, limitText, outcomeCell } from "../certificate-words.ts";
import { absent, counted, duration, percent } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

type Certified = Evaluation & { readonly certificate: Certificate };

export function certificatesSection({ evaluations }: Pick<Report, "evaluations">): Section {
  const certified = evaluations.flatMap(({ certificate, ...rest }): Certified[] =>
    certificate ? [{ ...rest, certificate }] : [],
  );
  const last = certified.findLast(stands);
  const refused = certified.filter(({ state }) => state === Evaluation_State.FAILED_CERTIFICATION);
  const inFull = [...refused, ...(last === undefined ? [] : [last])];
  return {
    id: "certificates",
    title: "Certificates",
    origin: "measured",
    source:
      "canaries that ran through the code that scores and generates, in the same process, on the same device, in the same shapes, before a number was written",
    blocks: orNone(
      [overview(certified), ...inFull.flatMap(certificateBlocks)],
      certified.length === 0,
      "No evaluation has a certificate.",
    ),
  };
}

function overview(certified: readonly Certified[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Micro-step", numeric: true },
      { title: "Evaluation" },
      { title: "Certificate" },
      { title: "Nearest to its limit" },
      { title: "Shapes, rows x positions" },
      { title: "Took", numeric: true },
      { title: "SHA-256 of the code" },
    ],
    rows: certified.map(({ microStep, name, certificate }) => [
      counted(microStep),
      { code: name },
      certificateCell(certificate),
      nearest(certificate),
      certificate.shapes.join(", "),
      duration(certificate.seconds),
      { code: certificate.codeSha256 },
    ]),
  };
}

/** `causality: 4.0 % of it`, of those that hold. */
function nearest({ canaries }: Certificate): string {
  const shares = canaries
    .filter(({ outcome, limit }) => outcome === Canary_Outcome.PASSED && limit > 0)
    .map(({ name, deviation, limit }) => ({ name, share: deviation / limit }))
    .sort((a, b) => b.share - a.share);
  const [first] = shares;
  return first === undefined ? absent : `${first.name}: ${percent(first.share)} of it`;
}

function certificateBlocks({ name, certificate }: Certified): Block[] {
  return [
    { kind: "heading", text: `Certificate of ${name}` },
    { kind: "facts", rows: facts(certificate) },
    {
      kind: "table",
      columns: [
        { title: "Canary" },
        { title: "What must hold" },
        { title: "Outcome" },
        { title: "Deviation", numeric: true },
        { title: "At most", numeric: true },
        { title: "Found" },
      ],
      rows: certificate.canaries.map(canaryRow),
    },
  ];
}

function facts(certificate: Certificate): (readonly [string, Cell])[] {
  return [
    ["Ran on", `${certificate.device}, in ${certificate.precision}`],
    ["SHA-256 of the checkpoint's manifest", { code: certificate.checkpointSha256 }],
    ["SHA-256 of the tokenizer", { code: certificate.tokenizerSha256 }],
    ["SHA-256 of the code that scores and generates", { code: certificate.codeSha256 }],
  ];
}

function canaryRow(canary: Canary): Cell[] {
  const { name, claim, outcome, evidence } = canary;
  return [{ code: name }, claim, outcomeCell(outcome), deviationText(canary), limitText(canary), evidence];
}
