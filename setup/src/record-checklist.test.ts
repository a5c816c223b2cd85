/** docs/record-checklist.md: every item of the record is in it once, and every test that it names is where it says. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "./checkout.ts";

const text = readFileSync(join(checkout, "docs", "record-checklist.md"), "utf8");

/** Items of each group: A1 to A20, and so on. */
const sizes = { A: 20, B: 18, C: 10, D: 18, E: 10, F: 8, G: 12, H: 15, I: 6, J: 16, K: 7, L: 5, M: 30, N: 8, O: 23 };

/** A test's file, from the checkout, and its title as the source has it. */
interface Shown {
  readonly file: string;
  readonly title: string;
}

interface Item {
  readonly id: string;
  readonly what: string;
  readonly shownBy: readonly Shown[];
  readonly state: string;
}

const items = [...text.matchAll(/^\| ([A-O]\d+) \| (.+?) \| (.*) \| (.+?) \|$/gm)].map(
  ([, id = "", what = "", cell = "", state = ""]): Item => ({ id, what, shownBy: shownBy(id, cell), state }),
);

function shownBy(id: string, cell: string): Shown[] {
  return cell
    .split("<br>")
    .filter(Boolean)
    .map((reference) => {
      const [, file, title] = /^`([\w./-]+\.test\.ts): ([^`]+)`$/.exec(reference) ?? [];
      assert.ok(file && title, `${id}: "${reference}" is no test; \`path/to/file.test.ts: its title\` is expected`);
      return { file, title };
    });
}

test("each group has its items, each of them once, in their order", () => {
  const expected = Object.entries(sizes).flatMap(([group, size]) =>
    Array.from({ length: size }, (_, index) => `${group}${index + 1}`),
  );
  assert.deepEqual(
    items.map(({ id }) => id),
    expected,
  );
});

test("an item is shown, or says what is missing; what is shown, wholly or in part, names a test", () => {
  for (const { id, state, shownBy } of items) {
    assert.match(state, /^(yes|(partly|no): \S.*)$/, id);
    if (!state.startsWith("no")) assert.ok(shownBy.length > 0, `${id} names no test`);
  }
});

test("the sums above the tables are those of the tables", () => {
  const [yes, partly, no] = ["yes", "partly", "no"].map((word) => items.filter(({ state }) => state.startsWith(word)));
  const sums = `Of ${items.length} items ${yes?.length} are shown, ${partly?.length} in part, ${no?.length} not.`;
  assert.ok(text.includes(sums), `expected: ${sums}`);
});

for (const group of Object.keys(sizes))
  test(`${group}: each test that is named is in its file, with exactly that title`, () => {
    const named = items
      .filter(({ id }) => id.startsWith(group))
      .flatMap(({ id, shownBy }) => shownBy.map(({ file, title }) => ({ id, file, title })));
    const missing = named.filter(({ file, title }) => !hasTest(sourceOf(file), title));
    assert.deepEqual(missing, []);
  });

/** Empty where there is no such file. */
function sourceOf(file: string): string {
  const path = join(checkout, file);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/**
 * Whether a test has this title, as it is written: given to a call of `test` or `…Test`, or at the beginning of a row of a table in a
 * file whose tests are titled by the rows of one. In a comment or elsewhere in the code the same words are no title.
 */
function hasTest(source: string, title: string): boolean {
  const literal = `(?:"${RegExp.escape(title.replaceAll('"', '\\"'))}"|'${RegExp.escape(title)}'|\`${RegExp.escape(title)}\`)`;
  const before = String.raw`(?:\s|"[^"\n]*",|\[[^\]]*\],|\w+,)*`; // arguments before the title: kind and files of a golden test
  if (new RegExp(String.raw`[tT]est\(${before}${literal}\s*,`).test(source)) return true;
  const isTitledByRows = /[tT]est\((?:\w+,|`[^`]*\$\{)/.test(source);
  return isTitledByRows && new RegExp(String.raw`^\s*(?:for .*)?\[\s*${literal},`, "m").test(source);
}

for (const [claim, source, title, found] of [
  ["a title is found", 'test("a claim", () => {});', "a claim", true],
  ["one that goes on is another", 'test("a claim of more", () => {});', "a claim", false],
  [
    "behind other arguments, too",
    'goldenTest(\n  "kind",\n  ["a.json", b],\n  `a ${claim}`,\n () => {});',
    "a ${claim}",
    true,
  ],
  ["a row of a table whose tests have its names", '  ["a claim", 1],\n]) test(claim, () => {});', "a claim", true],
  ["a row, where no title is made of rows", '  ["a claim", 1],\n]) test("another", () => {});', "a claim", false],
  ["a comment is no test", '// test of "a claim", once\ntest("another", () => {});', "a claim", false],
] as const)
  test(`what names a test: ${claim}`, () => assert.equal(hasTest(source, title), found));
