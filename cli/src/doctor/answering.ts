/** Which parts of the system answer; where none does, whether `pretrain up` would find its port free. */
import { once } from "node:events";
import { request as ask } from "node:http";
import { request as askSecured } from "node:https";
import { connect as connectSocket, createServer } from "node:net";
import { messageOf, systemReason } from "@pretrain/errors";
import { health } from "@pretrain/proto";
import { type CredentialOptions, isSecured, materialOf } from "../credentials.ts";
import {
  placeOf as addressWithoutScheme,
  type CalledService,
  calledServices,
  connect,
  type ServiceOptions,
  serviceCalled,
} from "../service-addresses.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

const patienceMs = 3000;
const up = 'start it with "pretrain up"';

/** Broker, services, and the page. */
export async function answeringFindings(services: ServiceOptions<CalledService>): Promise<Finding[]> {
  const called = calledServices.map((service) => serviceFinding(service, services));
  return await Promise.all([brokerFinding("127.0.0.1:4222"), ...called, pageFinding("127.0.0.1:7400", services)]);
}

async function serviceFinding(service: CalledService, options: ServiceOptions<CalledService>): Promise<Finding> {
  const what = serviceCalled(service);
  const address = addressWithoutScheme(options[service]);
  const isPlain = !isSecured(options[service], options);
  if (isPlain && !(await speaksHttp2(address)))
    return await notServing(what, address, new Error("does not speak gRPC"));
  try {
    using client = connect(health.Health, service, options);
    const { status } = await client.check({}, { timeoutMs: patienceMs });
    if (status === health.HealthCheckResponse_ServingStatus.SERVING) return ok(what, `serves at ${address}`);
    return warning(what, `${address} answers, and does not serve now`, "wait, or read its log in .pretrain/logs");
  } catch (error) {
    return await notServing(what, address, error);
  }
}

/** Nothing there is as it should be before `pretrain up`; something else there is not. */
async function notServing(what: string, address: string, error: unknown): Promise<Finding> {
  const taken = await portTaken(address);
  if (taken === "free") return warning(what, `nothing at ${address}; the port is free`, up);
  if (taken === "elsewhere")
    return failed(what, `${address}: ${messageOf(error).slice(0, 200)}`, "see whether it runs there");
  const mend = `end the program that holds ${address} ("ss -ltnp" names it); "pretrain up" needs the port`;
  return failed(what, `${address} is taken by something that is no service of this system`, mend);
}

export async function brokerFinding(address: string): Promise<Finding> {
  const greeting = await greetingAt(address);
  if (greeting === undefined) return await notServing("broker", address, new Error("does not greet"));
  const [, json = "{}"] = /^INFO (\{.*\})/.exec(greeting) ?? [];
  const { version = "", jetstream = false } = Object(parsed(json));
  if (version === "") return await notServing("broker", address, new Error("is no NATS server"));
  if (jetstream === true) return ok("broker", `nats-server ${version} with JetStream at ${address}`);
  return failed(
    "broker",
    `nats-server ${version} at ${address} has no JetStream`,
    "end it, or start it with JetStream",
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {}; // it is not what it looked like
  }
}

/** NATS speaks first: a line about itself. */
async function greetingAt(address: string): Promise<string | undefined> {
  return (await firstWords(address, new Uint8Array()))?.toString("utf8").split("\r\n")[0];
}

/** What every client of HTTP/2 begins with, and empty settings (RFC 9113, section 3.4). */
const http2Preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** Whether the answer is a frame of settings, type 4. Asked before gRPC: its client cannot bear the answer of another protocol. */
async function speaksHttp2(address: string): Promise<boolean> {
  return (await firstWords(address, http2Preface))?.[3] === 4;
}

/** The first bytes that come from there; undefined when there are none in time. */
function firstWords(address: string, said: Uint8Array): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket({ ...placeOf(address), timeout: patienceMs }, () => socket.write(said));
    const hear = (bytes: Buffer | undefined) => {
      socket.destroy();
      resolve(bytes);
    };
    socket.once("data", hear);
    for (const event of ["timeout", "end"] as const) socket.once(event, () => hear(undefined));
    socket.on("error", () => hear(undefined));
  });
}

/** @param credentials where they mean TLS, so does the page */
async function pageFinding(address: string, credentials: CredentialOptions): Promise<Finding> {
  try {
    const url = `${isSecured(address, credentials) ? "https" : "http"}://${address}/`;
    const { status, date } = await healthOf(url, credentials);
    if (status === 200) return skewFinding(url, date, Date.now());
    return warning("page", `${url} answers ${status}`, "read .pretrain/logs/report.log");
  } catch (error) {
    return await notServing("page", address, new Error(systemReason(error)));
  }
}

function healthOf(url: string, credentials: CredentialOptions): Promise<{ status: number; date: string | null }> {
  return new Promise((resolve, reject) => {
    const settings = { agent: false, timeout: patienceMs };
    const call = url.startsWith("https:")
      ? askSecured(`${url}healthz`, { ...settings, ca: materialOf(credentials).authority })
      : ask(`${url}healthz`, settings);
    call.once("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, date: response.headers.date ?? null });
    });
    call.once("timeout", () => call.destroy(new Error("does not answer in time")));
    call.once("error", reject).end();
  });
}

/** @param date of its answer, to the second @param nowMs of this machine's clock */
export function skewFinding(url: string, date: string | null, nowMs: number): Finding {
  const skewSeconds = date === null ? 0 : Math.round((nowMs - Date.parse(date)) / 1000);
  if (Math.abs(skewSeconds) <= 5) return ok("page", url);
  const found = `${url}; its clock and this one are ${Math.abs(skewSeconds)} s apart`;
  return warning("page", found, "set both clocks by the network: records are dated by them");
}

/** `elsewhere`: the address is not of this machine, so that nothing can be said of the port. */
async function portTaken(address: string): Promise<"free" | "taken" | "elsewhere"> {
  const server = createServer();
  try {
    server.listen(placeOf(address));
    await once(server, "listening");
    return "free";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EADDRINUSE" ? "taken" : "elsewhere";
  } finally {
    server.close();
  }
}

function placeOf(address: string): { host: string; port: number } {
  const [host = "", port = ""] = address.split(/:(?=\d+$)/);
  return { host: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
}
