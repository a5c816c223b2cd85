/**
 * What a cluster does for workers, and nothing more: a scaler makes Jobs by the queues' lag, each Job has a pod at a time, a scheduler puts
 * pods on nodes whose GPU nobody has, and a pod that is lost, or ends with another code than 0, is made anew.
 *
 *     queues ──lag──▶ scaler ──▶ Jobs ──▶ pods that wait ──scheduler──▶ node-1 … node-8
 *                                  ▲                                        │ exit 0: the Job has ended
 *                                  └──── a new pod: lost, or another code ──┘
 */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import { type GpuNode, gpuTaken, type Pod, type PodProgram } from "./gpu-node.ts";
import { queueLag } from "./queue-lag.ts";
import { jobsToMake, type ScaledJob } from "./scaled-job.ts";

export interface WorkerKind extends ScaledJob {
  readonly name: string;
  readonly program: Omit<PodProgram, "name">;
}

export interface ClusterOptions {
  readonly nodes: readonly GpuNode[];
  readonly kinds: readonly WorkerKind[];
  readonly monitoringUrl: string;
  readonly say: (line: string) => void;
}

/** What happens to a node: it vanishes with its disk; it is drained; it is cut off for so long that its work goes to others. */
export type NodeFault = "vanish" | "drain" | "cut-off";

const lookEveryMs = 100;
const scaleEveryMs = 1_000;
/** Until the cluster believes that a node is lost, and until a pod is made anew that has ended badly. */
const noticedAfterMs = 1_500;

interface Job {
  readonly kind: WorkerKind;
  pods: number;
}

interface Place {
  readonly node: GpuNode;
  /** Whether the scheduler may put a pod on it. */
  isReady: boolean;
  running: { readonly job: Job; readonly pod: Pod } | undefined;
}

export class Cluster implements AsyncDisposable {
  readonly counts = { jobs: 0, pods: 0, refused: 0, failed: 0, mostPods: 0 };
  readonly #options: ClusterOptions;
  readonly #places: readonly Place[];
  readonly #jobs = new Set<Job>();
  readonly #waiting: Job[] = [];
  readonly #pods = new Set<Pod>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#places = options.nodes.map((node) => ({ node, isReady: true, running: undefined }));
    this.#running = Promise.all([this.#keepScaling(), this.#keepScheduling()]);
  }

  /** Jobs that have not ended. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /** Nodes on which a pod of this kind runs. */
  busyNodes(kind: string): GpuNode[] {
    return this.#places
      .filter(({ isReady, running }) => isReady && running?.job.kind.name === kind)
      .map(({ node }) => node);
  }

  /** @param lastingMs how long the node is away   @returns false when nothing runs there any more */
  strike(node: GpuNode, fault: NodeFault, lastingMs: number): boolean {
    const place = this.#places.find((each) => each.node === node);
    if (place?.running === undefined || !place.isReady) return false;
    place.isReady = false;
    const { pod, job } = place.running;
    void faults[fault]({ pod, node, lastingMs, lose: () => this.#lose(place, job), signal: this.#stopping.signal })
      .catch((error: unknown) => this.#options.say(`${node.name}: ${messageOf(error)}`))
      .finally(() => {
        place.isReady = true;
      });
    return true;
  }

  /** Ends every pod that is left, at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    for (const pod of this.#pods) pod.signal("SIGKILL");
    await Promise.all([...this.#pods].map(({ ended }) => ended));
  }

  async #keepScaling(): Promise<void> {
    const { kinds, monitoringUrl, say } = this.#options;
    while (!this.#stopping.signal.aborted) {
      for (const kind of kinds) {
        try {
          const lags = await Promise.all(kind.queues.map((queue) => queueLag(monitoringUrl, queue)));
          const running = [...this.#jobs].filter((job) => job.kind === kind).length;
          for (let made = jobsToMake(lags, running, kind); made > 0; made -= 1) this.#make(kind);
        } catch (error) {
          say(`the scaler asks again: ${messageOf(error)}`);
        }
      }
      await this.#pause(scaleEveryMs);
    }
  }

  #make(kind: WorkerKind): void {
    const job: Job = { kind, pods: 0 };
    this.#jobs.add(job);
    this.#waiting.push(job);
    this.counts.jobs += 1;
  }

  async #keepScheduling(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      for (const place of this.#places) {
        if (!place.isReady || place.running !== undefined) continue;
        const job = this.#waiting.shift();
        if (job === undefined) break;
        this.#start(place, job);
      }
      await this.#pause(lookEveryMs);
    }
  }

  #start(place: Place, job: Job): void {
    this.counts.pods += 1;
    job.pods += 1;
    const pod = place.node.start({ ...job.kind.program, name: `${job.kind.name}-${this.counts.pods}` });
    place.running = { job, pod };
    this.#pods.add(pod);
    const taken = this.#places.filter(({ running }) => running !== undefined).length;
    this.counts.mostPods = Math.max(this.counts.mostPods, taken);
    void pod.ended.then((code) => this.#ended(place, job, pod, code));
  }

  #ended(place: Place, job: Job, pod: Pod, code: number | null): void {
    this.#pods.delete(pod);
    if (place.running?.pod !== pod) return; // it was given up before
    if (code === null && !place.isReady) return; // nobody is there to say so: the cluster notices later
    place.running = undefined;
    if (code === 0) return void this.#jobs.delete(job);
    if (code === gpuTaken) this.counts.refused += 1;
    else {
      this.counts.failed += 1;
      this.#options.say(`${pod.name} on ${place.node.name} ended with ${code ?? "a signal"}`);
    }
    this.#again(job, noticedAfterMs);
  }

  /** The cluster gives the pod up, whether its process lives or not. */
  #lose(place: Place, job: Job): void {
    if (place.running?.job !== job) return;
    place.running = undefined;
    if (this.#jobs.has(job)) this.#again(job, 0);
  }

  #again(job: Job, afterMs: number): void {
    void this.#pause(afterMs).then(() => this.#waiting.push(job));
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

interface Struck {
  readonly pod: Pod;
  readonly node: GpuNode;
  readonly lastingMs: number;
  /** The cluster believes that the pod is gone. */
  readonly lose: () => void;
  readonly signal: AbortSignal;
}

const faults: Readonly<Record<NodeFault, (struck: Struck) => Promise<void>>> = {
  async vanish({ pod, node, lastingMs, lose, signal }) {
    pod.signal("SIGKILL");
    await pod.ended;
    node.replace();
    await pause(noticedAfterMs, undefined, { signal });
    lose();
    await pause(lastingMs, undefined, { signal });
  },
  async drain({ pod, lastingMs, signal }) {
    pod.signal("SIGTERM");
    await pod.ended;
    await pause(lastingMs, undefined, { signal });
  },
  /** Its processes stand still, which is how others see them; then they go on, and are asked to end while the node takes new pods again. */
  async "cut-off"({ pod, lastingMs, lose, signal }) {
    pod.signal("SIGSTOP");
    await pause(noticedAfterMs, undefined, { signal }).catch(() => undefined);
    lose();
    await pause(lastingMs, undefined, { signal }).catch(() => undefined);
    pod.signal("SIGCONT");
    pod.signal("SIGTERM");
  },
};
