/** The configuration that the server is started with. */
export interface Configuration {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly monitoringPort: number;
  readonly storeDirectory: string;
}

/** `sync_interval` has a line of its own: in one line with others, without a comma, the server takes it for part of a value. */
export function configFile({ host, port, monitoringPort, storeDirectory }: Configuration): string {
  return `# Written at every start by pretrain.
host: ${quoted(host)}
port: ${portOrFree(port)}
http: ${quoted(`${host}:${portOrFree(monitoringPort)}`)}
jetstream {
  store_dir: ${quoted(storeDirectory)}
  sync_interval: always
}
`;
}

/** The server's own word for "a free port" is -1. */
function portOrFree(port: number): number {
  return port === 0 ? -1 : port;
}

/** In quotes the server's format knows the same escapes as JSON for what a path can hold, and no `$` variables. */
function quoted(value: string): string {
  return JSON.stringify(value);
}
