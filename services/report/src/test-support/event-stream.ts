/** Test support: a reader of server-sent events. */
import { request } from "node:http";

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

export interface EventStream {
  /** The next event, when it is there. */
  next(): Promise<StreamEvent>;
  /** Lines that only showed that the stream lives. */
  comments(): number;
  close(): void;
}

interface Scope {
  after(cleanUp: () => void): void;
}

/** @param lastEventId as a browser sends it when it connects again */
export function openEventStream(t: Scope, url: string, lastEventId?: string): EventStream {
  const arrived: StreamEvent[] = [];
  const waiting: ((event: StreamEvent) => void)[] = [];
  let comments = 0;
  let rest = "";
  const take = (block: string) => {
    const fields = new Map(
      block.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
    );
    if (block.startsWith(":")) comments += 1;
    const event = fields.get("event");
    if (event === undefined) return;
    const found = { event, data: fields.get("data") ?? "", id: fields.get("id") ?? "" };
    const next = waiting.shift();
    if (next === undefined) arrived.push(found);
    else next(found);
  };
  const sent = request(
    url,
    { headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId } },
    (response) => {
      response.setEncoding("utf8");
      response.on("error", () => undefined);
      response.on("data", (text: string) => {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        blocks.forEach(take);
      });
    },
  );
  sent.on("error", () => undefined).end();
  const close = () => void sent.destroy();
  t.after(close);
  return {
    next: () => {
      const event = arrived.shift();
      return event === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(event);
    },
    comments: () => comments,
    close,
  };
}
