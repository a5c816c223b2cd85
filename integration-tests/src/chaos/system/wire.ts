/**
 * Listens beside the broker's clients: which events were published, and which of them the broker acknowledged. A publisher
 * counts as answered when the acknowledgement was on the wire to it. What passes while the listener itself is cut off is
 * not heard, so it knows a part of what was acknowledged and never too much.
 */
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node";

export interface WireEvent {
  /** Identity of the event: `step/{experiment}/{attempt}/{nonce}/{micro-step}`. */
  readonly id: string;
  readonly experiment: string;
  readonly kind: string;
}

export class Wire implements AsyncDisposable {
  /** Identities of all events that the broker has acknowledged. */
  readonly acknowledged = new Set<string>();
  /** How many micro-steps were published, each as often as it was. */
  steps = 0;
  readonly #running = new Map<string, number>();
  readonly #computing = new Map<string, number>();
  readonly #unanswered = new Map<string, string>();
  readonly #listeners = new Set<(event: WireEvent) => void>();
  #connection: NatsConnection | undefined;

  /** Listens at the broker that now answers at `url`. */
  async listen(url: string): Promise<void> {
    await this.#connection?.close();
    this.#unanswered.clear();
    this.#connection = await connect({ servers: url, name: "chaos", reconnect: false, pingInterval: 600_000 });
    this.#hear("pretrain.*.*.*", (message) => this.#published(message));
    this.#hear("_INBOX.>", (message) => this.#answered(message));
    await this.#connection.flush();
  }

  /** Those of one experiment. */
  acknowledgedOf(experiment: string): string[] {
    return [...this.acknowledged].filter((id) => id.split("/")[1] === experiment);
  }

  /** The attempt that trains the experiment, as far as was heard; undefined when none does. */
  runningAttempt(experiment: string): number | undefined {
    return this.#running.get(experiment);
  }

  /** Id of the process that computes for the experiment, as its last attempt has said; undefined before one has. */
  computingProcess(experiment: string): number | undefined {
    return this.#computing.get(experiment);
  }

  /** Resolves at the first event that `matches`; rejects with `signal`. */
  next(matches: (event: WireEvent) => boolean, signal: AbortSignal): Promise<WireEvent> {
    return new Promise((resolve, reject) => {
      const listener = (event: WireEvent) => {
        if (!matches(event)) return;
        this.#listeners.delete(listener);
        resolve(event);
      };
      this.#listeners.add(listener);
      signal.addEventListener("abort", () => {
        this.#listeners.delete(listener);
        reject(signal.reason);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.close();
  }

  #hear(subject: string, handle: (message: Msg) => void): void {
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) handle(message);
    };
    this.#connection?.subscribe(subject, { callback });
  }

  #published({ subject, headers, reply, data }: Msg): void {
    const [, , experiment = "", kind = ""] = subject.split(".");
    if (kind === "state") this.#moved(experiment, JSON.parse(new TextDecoder().decode(data)));
    const id = headers?.get("Nats-Msg-Id") ?? "";
    if (kind === "step") this.steps += 1;
    if (kind === "attempt") this.#computing.set(experiment, JSON.parse(new TextDecoder().decode(data)).processId);
    if (reply !== undefined) this.#unanswered.set(reply, id);
    for (const listener of this.#listeners) listener({ id, experiment, kind });
  }

  #moved(experiment: string, transition: { readonly to?: string; readonly attempt?: number }): void {
    this.#running.delete(experiment);
    if (transition.to === "STATE_RUNNING") this.#running.set(experiment, transition.attempt ?? 0);
  }

  #answered({ subject, data }: Msg): void {
    const id = this.#unanswered.get(subject);
    if (id === undefined) return;
    this.#unanswered.delete(subject);
    if (new TextDecoder().decode(data).startsWith('{"stream"')) this.acknowledged.add(id);
  }
}
