/** How a store at `s3://` is reached: by the AWS names of the environment and by nothing else, no file and no metadata service. */
import { InvalidArgument } from "@pretrain/errors";

export interface S3Settings {
  readonly bucket: string;
  /** Of every key, with a slash at its end; empty: none. */
  readonly prefix: string;
  /** Undefined: AWS itself, by the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const variables = [
  "AWS_ENDPOINT_URL",
  "AWS_REGION",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
] as const;

/** Read by Node itself, when it starts: a file with the authority of a store whose certificate no public one has signed. */
const authorityVariable = "NODE_EXTRA_CA_CERTS";

/** What a child process needs in its environment to open the same store. */
export function blobEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    [...variables, authorityVariable].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Read as it is written: a URL's own rules would make something else of `..`, of escapes and of capitals. */
const addressPattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,8})\/?$/;

/** @throws InvalidArgument naming every fault of address and environment */
export function s3Settings(address: string, environment: Environment): S3Settings {
  const [, bucket = "", folders = ""] = addressPattern.exec(address) ?? [];
  const value = (name: (typeof variables)[number]) => environment[name] ?? "";
  const endpoint = value("AWS_ENDPOINT_URL");
  const faults = [
    bucket === "" && `"${address}" is not the address of a store: s3://bucket/prefix is expected`,
    endpoint !== "" && !isHttp(endpoint) && `AWS_ENDPOINT_URL is "${endpoint}"; http(s)://host:port is expected`,
    ...(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const).map(
      (name) => value(name) === "" && `${name} is not set, and a store at s3:// needs it`,
    ),
  ].filter((fault) => fault !== false);
  const [first, ...rest] = faults.map((description) => ({ field: "blobs", description }));
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  return {
    bucket,
    prefix: folders === "" ? "" : `${folders.slice(1)}/`,
    endpoint: endpoint === "" ? undefined : endpoint,
    region: value("AWS_REGION"),
    accessKeyId: value("AWS_ACCESS_KEY_ID"),
    secretAccessKey: value("AWS_SECRET_ACCESS_KEY"),
    sessionToken: value("AWS_SESSION_TOKEN") === "" ? undefined : value("AWS_SESSION_TOKEN"),
  };
}

function isHttp(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.pathname === "/" && url.search === "";
}
