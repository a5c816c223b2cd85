/** The charts' own arithmetic, which runs in the browser; tested where it can be checked by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { axisText, corresponding, placesAlong } from "../../page/charts/axis.js";
import { csvOf } from "../../page/charts/csv.js";
import { aligned, CurveData } from "../../page/charts/curve-data.js";
import { lossPanel, smallPanels } from "../../page/charts/panels.js";
import { usualPlace, weightAt } from "../../page/charts/smoothing.js";
import { chartWords } from "../../page/charts/words.js";

const four = {
  metric: "train/loss",
  first: [1],
  last: [4],
  min: [2],
  mean: [3],
  max: [5],
  tokens: [400],
  seconds: [2],
};

/** Places of steps of 100 tokens and half a second. @param {number[]} microStep */
function placesOf(microStep) {
  return { microStep, tokens: microStep.map((step) => 100 * step), seconds: microStep.map((step) => step / 2) };
}

test("steps that come twice are appended once, and a step without a value is left out", () => {
  const curve = new CurveData();
  curve.load(four);
  curve.append(placesOf([3, 4, 5, 6, 7]), [9, 9, 2.5, null, 2]);
  assert.deepEqual(
    [curve.steps, curve.mean, curve.min, curve.max, curve.tokens, curve.seconds],
    [
      [4, 5, 7],
      [3, 2.5, 2],
      [2, 2.5, 2],
      [5, 2.5, 2],
      [400, 500, 700],
      [2, 2.5, 3.5],
    ],
  );
  assert.equal(curve.hasGrownTooLong, false);
});

test("what is appended goes on with the service's moving average: 8 and 4 with a weight of 0.5 make 16/3, then 2 makes 24/7", () => {
  const curve = new CurveData();
  curve.load({ ...four, last: [1], mean: [8], smoothed: [8] }, 0.5);
  curve.append(placesOf([2, 3]), [4, 2]);
  assert.deepEqual(
    curve.smoothed.map((value) => value?.toFixed(9)),
    [8, 16 / 3, 24 / 7].map((value) => value.toFixed(9)),
  );
});

test("curves with different places are laid over each other without a value in the wrong place", () => {
  const columns = aligned([
    {
      places: [1, 3, 5],
      values: [
        [10, 30, 50],
        [11, 31, 51],
      ],
    },
    { places: [3, 4], values: [[0.3, 0.4]] },
  ]);
  assert.deepEqual(columns, [
    [1, 3, 4, 5],
    [10, 30, null, 50],
    [11, 31, null, 51],
    [null, 0.3, 0.4, null],
  ]);
});

test("along time a clock that was set back folds nothing; a place between two points lies between their steps", () => {
  const places = { steps: [10, 20, 30], tokens: [100, 200, 300], seconds: [5, 4, 8] };
  assert.deepEqual(placesAlong(places, "time"), [5, 5, 8]);
  assert.deepEqual(placesAlong(places, "step"), [10, 20, 30]);
  assert.deepEqual(
    [50, 100, 150, 900].map((tokens) => corresponding(places.tokens, places.steps, tokens)),
    [10, 10, 15, 30],
  );
});

test("an axis says what it goes along", () => {
  assert.deepEqual(
    [axisText("step", 4750), axisText("step", 2.5), axisText("tokens", 2.5e6), axisText("time", 96)],
    ["4,750", "", "2.5 M", "1 min 36 s"],
  );
});

test("the slider goes from nothing over 0.9 (ten steps) to 0.9999; it suits a run of 173,385 steps at 0.9988", () => {
  assert.deepEqual([0, 10, 20, 40].map(weightAt), [0, 0.9, 0.99, 0.9999]);
  assert.equal(weightAt(usualPlace(173_385)).toFixed(4), "0.9987");
  assert.equal(usualPlace(120), 7);
});

test("a chart as CSV has a line for each point, with its range, its place and all its values", () => {
  const curve = new CurveData();
  curve.load({ ...four, smoothed: [3.5] }, 0.5);
  assert.equal(
    csvOf([{ name: "train/loss", curve }]),
    "curve,first_micro_step,last_micro_step,tokens_seen,elapsed_seconds,min,mean,max,smoothed\ntrain/loss,1,4,400,2,2,3,5,3.5\n",
  );
});

test("both languages have the same words, none of them empty, and every chart and warning has its word", () => {
  assert.deepEqual(Object.keys(chartWords.zh), Object.keys(chartWords.en));
  const named = [lossPanel, ...smallPanels].flatMap(({ title, curves, warnings }) => [
    title,
    ...curves.map(({ label }) => label),
    ...warnings,
  ]);
  for (const words of [chartWords.en, chartWords.zh]) {
    for (const text of Object.values(words)) assert.notEqual(text, "");
    for (const name of named) assert.ok(Object.hasOwn(words, name), name);
  }
});
