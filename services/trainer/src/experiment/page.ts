/** Pages of a list in a fixed order. A token names the last item shown, so that a page stays right when others are added. */
import { InvalidArgument } from "@pretrain/errors";

export interface PageRequest {
  /** 0 means 50, more than 1000 is read as 1000. */
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** Where an item stands: numbers ascend, and names among equal numbers. */
export type Place = readonly [order: number, name: string];

/**
 * @param sorted all items, by ascending place   @param scope of the list: a token of another one is refused
 * @throws InvalidArgument for a token that is none, or one of another scope
 */
export function page<T>(
  sorted: readonly T[],
  placeOf: (item: T) => Place,
  scope: string,
  { pageSize, pageToken }: PageRequest,
): Page<T> {
  const after = pageToken === "" ? undefined : parseToken(pageToken, scope);
  const rest = after === undefined ? sorted : sorted.filter((item) => isBehind(placeOf(item), after));
  const items = rest.slice(0, pageSize === 0 ? 50 : Math.min(pageSize, 1000));
  const last = items.at(-1);
  const isLastPage = last === undefined || items.length === rest.length;
  return { items, nextPageToken: isLastPage ? "" : token(placeOf(last), scope) };
}

export function isBehind([order, name]: Place, [otherOrder, otherName]: Place): boolean {
  return order === otherOrder ? name > otherName : order > otherOrder;
}

function token([order, name]: Place, scope: string): string {
  return Buffer.from(JSON.stringify([order, name, scope])).toString("base64url");
}

function parseToken(text: string, scope: string): Place {
  const [order, name, tokenScope, ...more] = partsOf(text);
  if (typeof order === "number" && typeof name === "string" && tokenScope === scope && more.length === 0) {
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
