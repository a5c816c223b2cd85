/** Fingers on a chart: one moves the cursor, two zoom. The page scrolls up and down as ever. */

/**
 * @param {HTMLElement} over what lies over the plot
 * @param {{ onMove: (left: number) => void, onPinch: (left: number, right: number) => void }} listeners `onPinch`: the ends of the
 *   new range in pixels of the old one, which may lie outside of it
 */
export function listenToTouch(over, { onMove, onPinch }) {
  /** @type {[number, number] | undefined} */
  let grip;
  const placesOf = (/** @type {TouchEvent} */ { touches }) => {
    const { left } = over.getBoundingClientRect();
    const places = [...touches].map(({ clientX }) => clientX - left).sort((a, b) => a - b);
    return /** @type {[number, number]} */ ([places[0] ?? 0, places[1] ?? places[0] ?? 0]);
  };
  /** @type {[number, number] | undefined} */
  let now;
  over.addEventListener(
    "touchstart",
    (event) => {
      grip = event.touches.length === 2 ? placesOf(event) : undefined;
      now = grip;
      if (event.touches.length === 1) onMove(placesOf(event)[0]);
    },
    { passive: true },
  );
  over.addEventListener(
    "touchmove",
    (event) => {
      if (event.touches.length === 2) now = placesOf(event);
      else if (event.touches.length === 1) onMove(placesOf(event)[0]);
    },
    { passive: true },
  );
  over.addEventListener("touchend", () => {
    if (grip === undefined || now === undefined) return;
    const [a, b] = grip;
    const stretch = Math.max(0.1, Math.min(10, (now[1] - now[0]) / Math.max(1, b - a)));
    // What was under the middle of the fingers is under their middle afterwards.
    const left = (a + b) / 2 - (now[0] + now[1]) / 2 / stretch;
    grip = undefined;
    if (Math.abs(stretch - 1) > 0.05) onPinch(left, left + over.clientWidth / stretch);
  });
}
