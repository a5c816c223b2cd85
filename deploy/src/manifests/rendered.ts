/**
 * The manifests of every overlay as kustomize makes them, kept beside what they are made from: who has no kustomize can read, check and
 * apply them, and a review shows what a change of a component does to a place.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { overlayNames, renderedOverlay } from "../overlays/index.ts";

const deploy = fileURLToPath(new URL("../..", import.meta.url));

/** For the message of whoever finds them out of date. */
export const renderCommand = "node deploy/src/manifests/main.ts";

/** A file that is written from others, by its path below deploy/. */
export interface Written {
  readonly path: string;
  readonly text: string;
}

/** As Prometheus' operator takes them; they are kept as Prometheus itself does. */
export async function alerts(): Promise<Written> {
  const rules = await readFile(join(deploy, "monitoring/prometheus-rules.yaml"), "utf8");
  const groups = rules.slice(rules.indexOf("groups:")).replaceAll(/^(?=.)/gm, "  ");
  const head = `# Written from prometheus-rules.yaml by \`${renderCommand}\`: change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pretrain
  namespace: pretrain
  labels: { app.kubernetes.io/name: pretrain-alerts, app.kubernetes.io/component: monitoring }
spec:
`;
  return { path: "monitoring/alerts.yaml", text: head + groups };
}

/** @throws FailedPrecondition without kustomize; what kustomize says when it cannot build the overlay */
export async function rendered(overlay: string): Promise<Written> {
  const head = `# Written from deploy/overlays/${overlay} by \`${renderCommand}\`: change that one.\n`;
  return { path: renderedPath(overlay), text: head + (await renderedOverlay(overlay)) };
}

/** What is kept. */
export function readWritten(path: string): Promise<string> {
  return readFile(join(deploy, path), "utf8");
}

export function renderedPath(overlay: string): string {
  return `rendered/${overlay}.yaml`;
}

/** In this order: the alerts are a part of overlays. */
export async function writeAll(): Promise<readonly string[]> {
  const written = [await write(await alerts())];
  for (const overlay of overlayNames()) written.push(await write(await rendered(overlay)));
  return written;
}

async function write({ path, text }: Written): Promise<string> {
  await writeFile(join(deploy, path), text);
  return path;
}
