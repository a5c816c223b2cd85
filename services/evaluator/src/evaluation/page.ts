/** Pages of evaluations, newest first. A token names the last one shown, so that a page stays right when others are added. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@pretrain/errors";
import type { Evaluation } from "@pretrain/proto";

export interface PageRequest {
  /** 0 means 50, more than 1000 is read as 1000. */
  readonly pageSize: number;
  readonly pageToken: string;
  /** `experiments/{experiment}` in its canonical spelling, or "" for all. */
  readonly experiment: string;
}

export interface Page {
  readonly evaluations: readonly Evaluation[];
  readonly nextPageToken: string;
}

/** @throws InvalidArgument for a token that is none, or was given for another experiment */
export function page(all: readonly Evaluation[], { pageSize, pageToken, experiment }: PageRequest): Page {
  const after = pageToken === "" ? undefined : parseToken(pageToken, experiment);
  const rest = all
    .filter(({ checkpoint }) => experiment === "" || checkpoint.startsWith(`${experiment}/`))
    .map((evaluation) => ({ evaluation, place: placeOf(evaluation) }))
    .filter(({ place }) => after === undefined || compare(place, after) > 0)
    .sort((a, b) => compare(a.place, b.place));
  const shown = rest.slice(0, pageSize === 0 ? 50 : Math.min(pageSize, 1000));
  const last = shown.at(-1);
  return {
    evaluations: shown.map(({ evaluation }) => evaluation),
    nextPageToken: last === undefined || shown.length === rest.length ? "" : token(last.place, experiment),
  };
}

/** What decides the order, ascending: minus the milliseconds since 1970, and the name among equals. */
type Place = readonly [order: number, name: string];

function placeOf({ createTime, name }: Evaluation): Place {
  return [createTime === undefined ? 0 : -timestampMs(createTime), name];
}

function compare([order, name]: Place, [otherOrder, otherName]: Place): number {
  if (order !== otherOrder) return order - otherOrder;
  return name < otherName ? -1 : Number(name > otherName);
}

function token([order, name]: Place, experiment: string): string {
  return Buffer.from(JSON.stringify([order, name, experiment])).toString("base64url");
}

function parseToken(text: string, experiment: string): Place {
  const [order, name, tokenExperiment, ...more] = partsOf(text);
  if (typeof order === "number" && typeof name === "string" && tokenExperiment === experiment && more.length === 0) {
    return [order, name];
  }
  throw new InvalidArgument([
    { field: "page_token", description: "is not the next_page_token of an answer to a request with these fields" },
  ]);
}

function partsOf(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
