/** A broker that only remembers what it was given, and can be away. */
import { Unavailable } from "@pretrain/errors";
import type { Offices } from "../stores/duties.ts";

type Both = Offices["broker"];

export class RecordingBroker implements Both {
  /** `enqueue a-8` and `publish evaluations/a-8 SUCCEEDED`, in order. */
  readonly heard: string[] = [];
  isAway = false;

  readonly enqueue: Both["enqueue"] = async (_kind, _message, id) => this.#hear(`enqueue ${id}`);

  readonly publish: Both["publish"] = async (kind, message) => {
    this.#hear(`publish ${kind.messageId(message)}`);
    return { duplicate: false };
  };

  #hear(what: string): void {
    if (this.isAway) throw new Unavailable("PUBLISH_UNKNOWN", "the broker is away");
    this.heard.push(what);
  }
}
