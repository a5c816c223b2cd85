/** Tokens of pages: where the next page begins, bound to the request they were given for. */
import { InvalidArgument } from "@pretrain/errors";

/** @param request all fields but the page's size and token   @param position where the next page begins */
export function pageToken(request: readonly unknown[], position: string | number): string {
  return Buffer.from(JSON.stringify([position, ...request])).toString("base64url");
}

/**
 * The position in a token, or `first` for an empty one.
 * @throws InvalidArgument for a token that is none, or was given for another request
 */
export function positionOf<T extends string | number>(token: string, request: readonly unknown[], first: T): T {
  if (token === "") return first;
  const [position, ...rest] = contentOf(token);
  if (isLike(position, first) && JSON.stringify(rest) === JSON.stringify(request)) return position;
  const description = "is not the next_page_token of an answer to a request with these fields";
  throw new InvalidArgument([{ field: "page_token", description }]);
}

/** How many entries a page shall have. */
export function pageSizeOf(asked: number, { usual, most }: { readonly usual: number; readonly most: number }): number {
  return asked === 0 ? usual : Math.min(asked, most);
}

function isLike<T extends string | number>(position: unknown, first: T): position is T {
  return typeof first === "number"
    ? Number.isSafeInteger(position) && Number(position) >= 0
    : typeof position === "string";
}

function contentOf(token: string): readonly unknown[] {
  try {
    const content: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(content) ? content : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
