/** A straight line through points, and how sure its slope is. */

export type Point = readonly [x: number, y: number];

export interface Line {
  /** Of y over x. */
  readonly slope: number;
  /** Standard error of the slope, from what the points leave over; 0 for two points. */
  readonly slopeError: number;
}

/** Undefined for fewer than two different x. Centred, so that large x and y lose no digits. */
export function leastSquaresLine(points: readonly Point[]): Line | undefined {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  let covariance = 0;
  let variance = 0;
  let spread = 0;
  for (const [x, y] of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
    spread += (y - meanY) ** 2;
  }
  if (!(variance > 0)) return undefined;
  const slope = covariance / variance;
  const leftOver = Math.max(0, spread - slope * covariance);
  return { slope, slopeError: points.length > 2 ? Math.sqrt(leftOver / (points.length - 2) / variance) : 0 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
