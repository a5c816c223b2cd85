/** The images, by what runs from them (adr 18). */

export const roleNames = ["api", "cpu-worker", "gpu-worker"] as const;

export type RoleName = (typeof roleNames)[number];

/** What computes: nothing, TensorFlow on processors, TensorFlow on an NVIDIA GPU. */
export type Engine = "none" | "cpu" | "gpu";

export interface Role {
  readonly name: RoleName;
  /** Folders of the workspace whose programs the image runs; all that they depend on comes with them. */
  readonly services: readonly string[];
  readonly engine: Engine;
}

export const roles: Readonly<Record<RoleName, Role>> = {
  api: { name: "api", services: ["services/data-shard", "services/report"], engine: "none" },
  "cpu-worker": { name: "cpu-worker", services: ["services/trainer", "services/evaluator"], engine: "cpu" },
  "gpu-worker": { name: "gpu-worker", services: ["services/trainer", "services/evaluator"], engine: "gpu" },
};

/** Where the workspace lies in an image: each folder of it at the same place below this one as below the checkout. */
export const workspaceInImage = "/opt/pretrain";
