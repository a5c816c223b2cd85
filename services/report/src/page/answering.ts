/** Answers of the page's addresses. */
import type { ServerResponse } from "node:http";
import { InvalidArgument, NotFound } from "@pretrain/errors";
import type { Route } from "@pretrain/observability";

type Handler = (response: ServerResponse, url: URL, request: Parameters<Route["handle"]>[0]) => void | Promise<void>;

/** A wrong address is the reader's mistake, not the service's. */
export function answering(handle: Handler): Route["handle"] {
  return async (request, response, url) => {
    try {
      await handle(response, url, request);
    } catch (error) {
      if (error instanceof NotFound) text(response, 404, error.message);
      else if (error instanceof InvalidArgument) text(response, 400, error.message);
      else throw error;
    }
  };
}

export function send(response: ServerResponse, mediaType: string, content: string | Buffer): void {
  response.writeHead(200, { "Content-Type": mediaType }).end(content);
}

export function sendJson(response: ServerResponse, json: string): void {
  send(response, "application/json; charset=utf-8", json);
}

export function missing(response: ServerResponse): void {
  text(response, 404, "there is no such page");
}

function text(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}
