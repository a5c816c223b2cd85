/** What makes the record believable: continuity, the chain of its events, what is missing, numbers without support. */
import type { Continuity, Report } from "@pretrain/proto";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, orNone, type Section } from "../record-document.ts";
import { gapSentence } from "../sentences/gap-sentence.ts";

export function continuitySection({ continuity }: Report, words: Phrases): Section {
  const { continuity: texts } = words.proof;
  return {
    id: "continuity",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone(
      continuity === undefined ? [] : continuityBlocks(continuity, texts),
      continuity === undefined,
      words.document.none,
    ),
  };
}

function continuityBlocks(continuity: Continuity, texts: Phrases["proof"]["continuity"]): Block[] {
  const { attempts, interruptions, repeatedMicroSteps, equalRepetitions, unequalRepetitions, missingMicroSteps } =
    continuity;
  return [
    { kind: "paragraph", ...judgement(continuity, texts) },
    {
      kind: "facts",
      rows: [
        [texts.attempts, counted(attempts)],
        [texts.interruptions, counted(interruptions)],
        [texts.repeated, counted(repeatedMicroSteps)],
        [texts.equal, counted(equalRepetitions)],
        [texts.unequal, counted(unequalRepetitions)],
        [texts.missing, counted(missingMicroSteps)],
      ],
    },
  ];
}

/** The worst that there is to say. */
function judgement(
  { interruptions, repeatedMicroSteps, unequalRepetitions, missingMicroSteps }: Continuity,
  texts: Phrases["proof"]["continuity"],
): { readonly text: string; readonly tone: "good" | "bad" | "open" } {
  if (missingMicroSteps > 0n) return { text: `✗ ${texts.holed}`, tone: "bad" };
  if (unequalRepetitions > 0n) return { text: `! ${texts.differs}`, tone: "open" };
  if (interruptions === 0) return { text: `✓ ${texts.whole}`, tone: "good" };
  return repeatedMicroSteps === 0n
    ? { text: `✓ ${texts.unproven}`, tone: "good" }
    : { text: `✓ ${texts.proven}`, tone: "good" };
}

export function chainSection({ chain, title }: Report, words: Phrases): Section {
  const { chain: texts } = words.proof;
  const verification: Block[] = [
    { kind: "heading", text: texts.verify },
    { kind: "source", title: texts.verifyHere, text: `pretrain verify ${title}`, language: "bash" },
    {
      kind: "source",
      title: texts.verifyOffline,
      text: `pretrain report ${title} --bundle ./${title}-bundle\npretrain verify ./${title}-bundle`,
      language: "bash",
    },
  ];
  return {
    id: "chain",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      ...orNone(
        [
          {
            kind: "facts",
            rows: [
              [texts.events, counted(chain?.events ?? 0n)],
              [texts.head, { code: chain?.headSha256 ?? "" }],
            ],
          },
        ],
        chain === undefined,
        texts.open,
      ),
      { kind: "paragraph", text: texts.explanation },
      ...verification,
    ],
  };
}

export function gapsSection({ gaps }: Report, words: Phrases): Section {
  const { gaps: texts } = words.proof;
  return {
    id: "gaps",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone(
      [{ kind: "list", items: gaps.map((gap) => gapSentence(gap, words)) }],
      gaps.length === 0,
      texts.none,
    ),
  };
}

export function unsupportedSection({ unsupportedNumbers }: Report, words: Phrases): Section {
  const { unsupported: texts } = words.proof;
  return {
    id: "unsupported",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone(
      [
        {
          kind: "table",
          columns: [{ title: texts.place }, { title: texts.number }, { title: texts.nearest }],
          rows: unsupportedNumbers.map(({ place, text, nearest }) => [
            { code: place },
            { words: text },
            nearest === "" ? words.document.none : nearest,
          ]),
        },
      ],
      unsupportedNumbers.length === 0,
      texts.none,
    ),
  };
}
