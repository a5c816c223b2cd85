/**
 * One spelling of an experiment's id. People write `1.4.0`, `1_4_0` and `experiment_1_4_0`; subjects, keys, file names and
 * labels need one token without dots: `1-4-0` (docs/adr/0003).
 */
import { InvalidArgument } from "@pretrain/errors";
import { canonicalSpelling } from "@pretrain/proto";

const canonical = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const collection = "experiments/";

/**
 * The canonical id of a spelling.
 *
 * @param field that the spelling came in, for the error
 * @throws InvalidArgument naming the field
 */
export function experimentId(spelling: string, field = "experiment_id"): string {
  const id = canonicalSpelling(spelling);
  if (canonical.test(id)) return id;
  const shown = JSON.stringify(spelling.slice(0, 100));
  throw new InvalidArgument([
    { field, description: `${shown} is no id: 1 to 63 letters, digits, ".", "_", "-", the first and last no sign` },
  ]);
}

/** `experiments/{id}` of a canonical id. */
export function experimentName(id: string): string {
  return `${collection}${id}`;
}

/**
 * The canonical id in `experiments/{spelling}`.
 *
 * @param field that the name came in, for the error
 * @throws InvalidArgument naming the field
 */
export function idOfExperimentName(name: string, field = "name"): string {
  if (name.startsWith(collection)) return experimentId(name.slice(collection.length), field);
  const shown = JSON.stringify(name.slice(0, 100));
  throw new InvalidArgument([
    { field, description: `${shown} is no name of an experiment: experiments/{id} is expected` },
  ]);
}
