/**
 * Asks the process of this container whether it takes calls (grpc.health.v1, without TLS, at PRETRAIN_HEALTH_ADDRESS). Runs inside
 * an image as it stands, so it imports nothing but Node and starts in a tenth of a second. By hand:
 *
 *     podman exec CONTAINER /usr/local/bin/node /opt/pretrain/health-check.ts
 *
 * Exit 0: it does, or it serves nobody (a worker). Exit 1, with the reason in one line: it does not.
 */
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";

const patienceMs = 5_000;
const address = process.env["PRETRAIN_HEALTH_ADDRESS"];
if (address !== undefined && address !== "") {
  const fault = await faultAt(reachable(address));
  if (fault !== undefined) {
    process.stderr.write(`${address}: ${fault}\n`);
    process.exitCode = 1;
  }
}

/** What listens on every address is asked at this machine's own. */
function reachable(listening: string): string {
  return listening.replace(/^(0\.0\.0\.0|\[::\]):/, "localhost:");
}

/** @returns undefined when it is serving */
async function faultAt(host: string): Promise<string | undefined> {
  const session = connect(`http://${host}`);
  const failed = new Promise<string>((resolve) => {
    session.on("error", (error) => resolve(`is not reached: ${error.message}`));
  });
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve(`no answer within ${patienceMs / 1000} s`), patienceMs).unref();
  });
  try {
    return await Promise.race([answerOf(check(session)), failed, late]);
  } finally {
    session.destroy();
  }
}

function check(session: ReturnType<typeof connect>): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined); // the session tells it
  stream.end(Buffer.alloc(5)); // one message, not compressed, of no bytes: the empty service name is the server as a whole
  return stream;
}

/** A HealthCheckResponse is its field 1, a varint, in the one byte behind the frame's five and the field's tag; 1 is SERVING. */
async function answerOf(stream: ClientHttp2Stream): Promise<string | undefined> {
  let status = "0";
  const read = ({ "grpc-status": told }: IncomingHttpHeaders) => {
    if (typeof told === "string") status = told;
  };
  stream.on("response", read); // an error that comes at once has its status there
  stream.on("trailers", read);
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => {
    if (pieces.length < 16) pieces.push(piece);
  });
  await new Promise((resolve) => stream.on("close", resolve));
  const answer = Buffer.concat(pieces);
  if (status !== "0") return `answers gRPC status ${status}`;
  return answer.length === 7 && answer[5] === 0x08 && answer[6] === 1 ? undefined : "is not serving";
}
