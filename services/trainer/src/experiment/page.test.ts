import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { type Page, type Place, page } from "./page.ts";

const items = Array.from({ length: 120 }, (_, i) => ({
  order: Math.floor(i / 2),
  name: `n${String(i).padStart(3, "0")}`,
}));
type Item = (typeof items)[number];
const placeOf = ({ order, name }: Item): Place => [order, name];

function pageOf(pageSize: number, pageToken = "", scope = "all", list: readonly Item[] = items): Page<Item> {
  return page(list, placeOf, scope, { pageSize, pageToken });
}

test("pages put together are the list, without a repetition, whatever their size", () => {
  for (const size of [1, 7, 50, 120, 5000]) {
    const seen: Item[] = [];
    let token = "";
    do {
      const { items: shown, nextPageToken } = pageOf(size, token);
      seen.push(...shown);
      token = nextPageToken;
    } while (token !== "");
    assert.deepEqual(seen, items);
  }
});

test("0 means 50, and a full last page has no token", () => {
  assert.equal(pageOf(0).items.length, 50);
  assert.equal(pageOf(120).nextPageToken, "");
  assert.deepEqual(pageOf(10, "", "all", []), { items: [], nextPageToken: "" });
});

test("an item that appears before the token's place moves nothing on the next page", () => {
  const { nextPageToken } = pageOf(10);
  const grown = [{ order: -1, name: "new" }, ...items];
  assert.deepEqual(pageOf(10, nextPageToken, "all", grown).items, items.slice(10, 20));
});

test("a token of another list, or no token at all, is refused by name", () => {
  const { nextPageToken } = pageOf(10);
  for (const token of ["x", "e30", Buffer.from("[1]").toString("base64url"), `${nextPageToken}AA`]) {
    assert.throws(
      () => pageOf(10, token),
      (error) => error instanceof InvalidArgument && error.message.startsWith("page_token: "),
    );
  }
  assert.throws(() => pageOf(10, nextPageToken, "other"), InvalidArgument);
});
