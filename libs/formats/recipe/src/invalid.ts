/** One error for all faults, short enough to travel in the trailers of an answer. */
import { InvalidArgument, type Violation } from "@pretrain/errors";

const shownLimit = 40;

/** Names the faults, and says how many more there are beyond the fortieth. */
export function invalid([first, ...rest]: readonly [Violation, ...Violation[]]): InvalidArgument {
  const shown = rest.slice(0, shownLimit - 1);
  const hidden = rest.length - shown.length;
  const more = { field: "recipe", description: `${hidden} more faults are not listed` };
  return new InvalidArgument(hidden === 0 ? [first, ...shown] : [first, ...shown, more]);
}
