/**
 * A control plane of Kubernetes on loopback: what it accepts, refuses, schedules and makes of manifests is what any cluster does. There is
 * no kubelet: no container starts here.
 *
 *     etcd  ◀──  kube-apiserver  ◀──  kube-scheduler, kube-controller-manager, kubectl
 *
 * The API server alone knows etcd; so it is stopped before it.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { freePort } from "@pretrain/free-ports";
import { createKubectl, type Kubectl } from "../../kubectl/index.ts";
import { type ToolName, toolPath } from "../../tools/index.ts";
import { startPlaneProcess } from "./plane-process.ts";

export interface Plane extends AsyncDisposable {
  readonly kubectl: Kubectl;
  /** File that says where this cluster is and who asks: its administrator. */
  readonly kubeconfig: string;
}

/** @param folder for all that it keeps, empty. @throws Unavailable with the last words of the program that does not come up */
export async function startPlane(folder: string): Promise<Plane> {
  await using started = new AsyncDisposableStack();
  const etcd = await freePort();
  const etcdPeers = await freePort();
  const port = await freePort();
  started.use(startPlaneProcess("etcd", etcdParameters(join(folder, "etcd"), etcd, etcdPeers)));
  const kubeconfig = await writeCredentials(folder, port);
  const options = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(folder, "kubectl")}`]; // a port is another cluster's tomorrow
  const kubectl = createKubectl(toolPath("kubectl"), options);
  const server = started.use(startPlaneProcess("kube-apiserver", serverParameters(folder, port, etcd)));
  await server.ready(async () => (await kubectl.ask(["get", "--raw", "/readyz"])).code === 0);
  const start = async (name: ToolName, parameters: readonly string[]) => {
    const own = await freePort();
    const process = started.use(startPlaneProcess(name, [...clientParameters(kubeconfig, own), ...parameters]));
    await process.ready(() => isHealthy(own));
  };
  await start("kube-scheduler", []);
  await start("kube-controller-manager", [`--controllers=${controllers.join(",")}`]);
  const running = started.move();
  return { kubectl, kubeconfig, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Without fsync: what it keeps is thrown away. */
function etcdParameters(folder: string, port: number, peerPort: number): string[] {
  const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${folder}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    "--log-level=error",
  ];
}

function serverParameters(folder: string, port: number, etcd: number): string[] {
  const key = join(folder, "service-accounts.key");
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${certificates(folder)}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.96.0.0/24",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--allow-privileged=true", // as on any cluster: who refuses a privileged pod is the namespace
    "--enable-priority-and-fairness=false", // one caller
    "--endpoint-reconciler-type=none",
    "--profiling=false",
  ];
}

function clientParameters(kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
  ];
}

/** Those whose work a test looks at. Without the one of namespaces, nothing would ever be removed from one. */
const controllers = [
  "deployment-controller",
  "replicaset-controller",
  "statefulset-controller",
  "job-controller",
  "disruption-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "persistentvolumeclaim-protection-controller",
  "serviceaccount-controller",
];

function certificates(folder: string): string {
  return join(folder, "certificates");
}

async function writeCredentials(folder: string, port: number): Promise<string> {
  const token = randomBytes(24).toString("base64url");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await mkdir(certificates(folder));
  await writeFile(join(folder, "service-accounts.key"), privateKey.export({ type: "pkcs1", format: "pem" }), {
    mode: 0o600,
  });
  await writeFile(join(folder, "tokens.csv"), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    "certificate-authority": join(certificates(folder), "apiserver.crt"), // the server makes it when it starts
  };
  const file = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "plane", cluster }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "plane", context: { cluster: "plane", user: "admin" } }],
    "current-context": "plane",
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Its certificate is its own and signed by nobody; what is asked is only whether it is up. */
async function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path: "/healthz", rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once("error", () => resolve(false));
  });
}
