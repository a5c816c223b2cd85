/** What lies on a chart and is no curve, drawn on its canvas: epochs, a target, warnings, checkpoints, names at the ends of lines. */

/** @typedef {import("../uplot.js").default} UPlot */
/** @typedef {{ at: number, to?: number, text: string }} Mark at a place of the axis, or from one to another */
/** @typedef {{ epochs: readonly Mark[], warnings: readonly Mark[], checkpoints: readonly number[], target?: { value: number, text: string } }} ChartMarks */

const dash = 4;

/** @param {UPlot} chart @param {ChartMarks} marks @param {import("../theme.js").Theme} colours */
export function drawMarks(chart, marks, colours) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = ratio;
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  for (const epoch of marks.epochs) drawEpoch(chart, epoch, colours.soft);
  for (const place of marks.checkpoints) drawCheckpoint(chart, place, colours.soft);
  if (marks.target !== undefined) drawTarget(chart, marks.target, colours.good);
  for (const warning of marks.warnings) drawWarning(chart, warning, colours.mark);
  ctx.restore();
}

/** A dashed line from top to bottom. @param {UPlot} chart @param {Mark} epoch @param {string} colour */
function drawEpoch(chart, { at, text }, colour) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const x = Math.round(chart.valToPos(at, "x", true));
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.setLineDash([dash * ratio, dash * ratio]);
  line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  ctx.fillText(text, x - 5 * ratio, bbox.top + 12 * ratio);
}

/** A tick at the bottom. @param {UPlot} chart @param {number} at @param {string} colour */
function drawCheckpoint(chart, at, colour) {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(at, "x", true));
  const bottom = bbox.top + bbox.height;
  ctx.strokeStyle = colour;
  ctx.setLineDash([]);
  line(ctx, x, bottom - 6 * devicePixelRatio, x, bottom);
}

/** A dotted line across. @param {UPlot} chart @param {{ value: number, text: string }} target @param {string} colour */
function drawTarget(chart, { value, text }, colour) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const y = Math.round(chart.valToPos(value, "y", true));
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.setLineDash([2 * ratio, dash * ratio]);
  line(ctx, bbox.left, y, bbox.left + bbox.width, y);
  ctx.fillText(text, bbox.left + bbox.width - 4 * ratio, y - 5 * ratio);
}

/** A triangle at its beginning, a line over its range, its name beside it. @param {UPlot} chart @param {Mark} warning @param {string} colour */
function drawWarning(chart, { at, to = at, text }, colour) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const [x, end] = [at, to].map((place) => Math.round(chart.valToPos(place, "x", true)));
  const y = bbox.top + 22 * ratio;
  if (x === undefined || end === undefined) return;
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.setLineDash([]);
  line(ctx, x, y, end, y);
  ctx.beginPath();
  ctx.moveTo(x - 4 * ratio, y - 4 * ratio);
  ctx.lineTo(x + 4 * ratio, y - 4 * ratio);
  ctx.lineTo(x, y + 4 * ratio);
  ctx.fill();
  const isAtEnd = x > bbox.left + bbox.width / 2;
  ctx.textAlign = isAtEnd ? "right" : "left";
  ctx.fillText(text, x + (isAtEnd ? -7 : 7) * ratio, y - 4 * ratio);
  ctx.textAlign = "right";
}

/**
 * Names at the right ends of lines, or in the layers of a stack that are high enough, for who does not tell them by colour.
 * @param {UPlot} chart
 * @param {readonly { series: number, text: string, colour: string }[]} names
 * @param {boolean} isStack
 */
export function drawNames(chart, names, isStack) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  names.forEach(({ series, text, colour }, index) => {
    const values = [...(chart.data[series] ?? [])];
    const last = values.findLastIndex((value) => value !== null && value !== undefined);
    if (last < 0) return;
    const heightAt = (/** @type {number} */ value) => chart.valToPos(value, "y", true);
    const top = heightAt(values[last] ?? 0);
    const below = chart.data[names[index - 1]?.series ?? 0]?.[last] ?? 0;
    const height = isStack ? heightAt(index === 0 ? 0 : below) - top : 0;
    if (isStack && height < 13 * ratio) return;
    ctx.fillStyle = colour;
    const x = chart.valToPos(chart.data[0][last] ?? 0, "x", true) - 4 * ratio;
    const isLow = top + 16 * ratio > bbox.top + bbox.height;
    ctx.fillText(text, x, isStack ? top + height / 2 + 4 * ratio : top + (isLow ? -5 : 13) * ratio);
  });
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
