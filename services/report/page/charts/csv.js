/** What a chart shows, as a file. */

/** @typedef {{ name: string, curve: import("./curve-data.js").CurveData }} NamedCurve */

const head = "curve,first_micro_step,last_micro_step,tokens_seen,elapsed_seconds,min,mean,max,smoothed";

/** A line for each point. @param {readonly NamedCurve[]} curves */
export function csvOf(curves) {
  const lines = curves.flatMap(({ name, curve }) =>
    curve.steps.map((step, at) =>
      [
        name,
        curve.first[at],
        step,
        curve.tokens[at],
        curve.seconds[at],
        curve.min[at],
        curve.mean[at],
        curve.max[at],
        curve.smoothed[at],
      ]
        .map((value) => value ?? "")
        .join(","),
    ),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

/** @param {string} fileName @param {string} text */
export function download(fileName, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}
