/** What the code that made the numbers has proven of itself; of what was not certified, why. */

import type { Report } from "@pretrain/proto";
import { type Canary, Canary_Outcome, type Certificate, type Evaluation, Evaluation_State } from "@pretrain/proto";
import { stands } from "../../record/known-evaluations.ts";
import { certificateCell, deviationText, limitText, outcomeCell } from "../certificate-words.ts";
import { absent, counted, duration, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

type Certified = Evaluation & { readonly certificate: Certificate };

export function certificatesSection({ evaluations }: Pick<Report, "evaluations">, words: Phrases): Section {
  const { certificates: texts } = words.evaluation;
  const certified = evaluations.flatMap(({ certificate, ...rest }): Certified[] =>
    certificate ? [{ ...rest, certificate }] : [],
  );
  const last = certified.findLast(stands);
  const refused = certified.filter(({ state }) => state === Evaluation_State.FAILED_CERTIFICATION);
  const inFull = [...refused, ...(last === undefined ? [] : [last])];
  return {
    id: "certificates",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: orNone(
      [overview(certified, words), ...inFull.flatMap((each) => certificateBlocks(each, words))],
      certified.length === 0,
      texts.empty,
    ),
  };
}

function overview(certified: readonly Certified[], words: Phrases): Block {
  const { certificates: texts } = words.evaluation;
  return {
    kind: "table",
    columns: [
      { title: texts.microStep, numeric: true },
      { title: texts.evaluation },
      { title: texts.certificate },
      { title: texts.nearest },
      { title: texts.shapes },
      { title: texts.took, numeric: true },
      { title: texts.code },
    ],
    rows: certified.map(({ microStep, name, certificate }) => [
      counted(microStep),
      { code: name },
      certificateCell(certificate, words),
      nearest(certificate, texts),
      certificate.shapes.join(", "),
      duration(certificate.seconds),
      { code: certificate.codeSha256 },
    ]),
  };
}

/** `causality: 4.0 % of it`, of those that hold. */
function nearest({ canaries }: Certificate, texts: Phrases["evaluation"]["certificates"]): string {
  const shares = canaries
    .filter(({ outcome, limit }) => outcome === Canary_Outcome.PASSED && limit > 0)
    .map(({ name, deviation, limit }) => ({ name, share: deviation / limit }))
    .sort((a, b) => b.share - a.share);
  const [first] = shares;
  return first === undefined ? absent : texts.nearestOf(first.name, percent(first.share));
}

function certificateBlocks({ name, certificate }: Certified, words: Phrases): Block[] {
  const { certificates: texts } = words.evaluation;
  return [
    { kind: "heading", text: texts.certificateOf(name) },
    { kind: "facts", rows: facts(certificate, texts) },
    {
      kind: "table",
      columns: [
        { title: texts.canary },
        { title: texts.claim },
        { title: texts.outcome },
        { title: texts.deviation, numeric: true },
        { title: texts.limit, numeric: true },
        { title: texts.found },
      ],
      rows: certificate.canaries.map((canary) => canaryRow(canary, words)),
    },
  ];
}

function facts(certificate: Certificate, texts: Phrases["evaluation"]["certificates"]): (readonly [string, Cell])[] {
  return [
    [texts.ranOn, texts.deviceAndPrecision(certificate.device, certificate.precision)],
    [texts.checkpoint, { code: certificate.checkpointSha256 }],
    [texts.tokenizer, { code: certificate.tokenizerSha256 }],
    [texts.codeInFull, { code: certificate.codeSha256 }],
  ];
}

/** Claim and evidence are the words of the program that examined itself. */
function canaryRow(canary: Canary, words: Phrases): Cell[] {
  const { name, claim, outcome, evidence } = canary;
  return [
    { code: name },
    { words: claim },
    outcomeCell(outcome, words),
    deviationText(canary),
    limitText(canary),
    { words: evidence },
  ];
}
