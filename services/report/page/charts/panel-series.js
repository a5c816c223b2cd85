/** How the columns of a panel are drawn: lines, bands between them, and their names, which tell them apart without colour. */

/** @typedef {import("../theme.js").Theme} Theme */
/** @typedef {import("../uplot.js").default.Series} Series */

const hidden = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
/** So that lines differ without colour. */
const dashes = [
  [8, 4],
  [2, 3],
  [12, 3, 2, 3],
  [5, 5],
  [1, 4],
];

/**
 * @param {import("./panels.js").PanelKind} kind
 * @param {number} overlays
 * @param {import("./words.js").ChartWords} words
 */
export function panelSeries(kind, overlays, words) {
  return kind.isStacked ? stackSeries(kind, words) : lineSeries(kind, overlays, words);
}

/** Of each curve mean, moving average, smallest and largest; then validation, then the others. */
function lineSeries(
  /** @type {import("./panels.js").PanelKind} */ kind,
  /** @type {number} */ overlays,
  /** @type {import("./words.js").ChartWords} */ words,
) {
  const isLoss = kind.name === "loss";
  const several = kind.curves.length > 1;
  const evaluationColumns = isLoss ? 1 : 0;
  const firstOverlay = 1 + 4 * kind.curves.length + evaluationColumns;
  return {
    /** @param {Theme} theme @returns {Series[]} */
    lines: ({ faint, accent, mark, paper, ink }) => [
      ...kind.curves.flatMap(({ label }, at) => [
        {
          label: words[label],
          stroke: isLoss ? faint : accent,
          width: isLoss ? 1 : 1.5,
          spanGaps: true,
          points: { show: false },
          ...(at > 0 && { dash: dashes[at - 1] ?? [] }),
        },
        { label: words.smoothed, stroke: accent, width: 2, spanGaps: true, points: { show: false }, show: isLoss },
        { label: "smallest", ...hidden },
        { label: "largest", ...hidden },
      ]),
      ...(isLoss
        ? [
            {
              label: words.validation,
              stroke: mark,
              width: 0,
              points: { show: true, size: 10, width: 2, stroke: mark, fill: paper },
            },
          ]
        : []),
      ...Array.from({ length: overlays }, (_, at) => ({
        label: `other ${at}`,
        stroke: at % 2 === 0 ? mark : ink,
        width: 2,
        dash: dashes[at % dashes.length] ?? [],
        spanGaps: true,
        points: { show: false },
      })),
    ],
    /** @param {Theme} theme */
    bands: ({ band }) =>
      kind.curves.map((_, at) => ({ series: /** @type {[number, number]} */ ([4 * at + 4, 4 * at + 3]), fill: band })),
    /** @param {Theme} theme @param {readonly import("./panel.js").Overlay[]} others */
    names: ({ accent, mark, ink }, others) => [
      ...(several
        ? kind.curves.map(({ label }, at) => ({ series: 4 * at + 1, text: words[label], colour: accent }))
        : []),
      ...others.map(({ id }, at) => ({ series: firstOverlay + at, text: id, colour: at % 2 === 0 ? mark : ink })),
    ],
  };
}

/** Layers, each from the one below to its own sum, fainter upwards. */
function stackSeries(
  /** @type {import("./panels.js").PanelKind} */ kind,
  /** @type {import("./words.js").ChartWords} */ words,
) {
  return {
    /** @param {Theme} theme @returns {Series[]} */
    lines: ({ accent, band }) =>
      kind.curves.map(({ label }, at) => ({
        label: words[label],
        stroke: accent,
        width: 1,
        spanGaps: true,
        points: { show: false },
        ...(at > 0 && { dash: dashes[at - 1] ?? [] }),
        ...(at === 0 && { fill: band }),
      })),
    /** @param {Theme} theme */
    bands: ({ faint, line, soft }) =>
      kind.curves.slice(1).map((_, at) => ({
        series: /** @type {[number, number]} */ ([at + 2, at + 1]),
        fill: [soft, faint, line][at % 3] ?? faint,
      })),
    /** @param {Theme} theme */
    names: ({ ink }) => kind.curves.map(({ label }, at) => ({ series: at + 1, text: words[label], colour: ink })),
  };
}
