/** What the services tell Prometheus, read as Prometheus reads it, and what its conventions find wrong with it. */
import assert from "node:assert/strict";

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Each sample's line. */
  readonly samples: readonly string[];
}

/** @param address `host:port` of a service's HTTP side */
export async function scrape(address: string): Promise<MetricFamily[]> {
  const response = await fetch(`http://${address}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return familiesOf(await response.text());
}

function familiesOf(text: string): MetricFamily[] {
  const families: { name: string; type: string; help: string; samples: string[] }[] = [];
  for (const line of text.split("\n")) {
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) ([^ ]+) (.*)$/.exec(line) ?? [];
    const open = families.at(-1);
    if (word === "HELP") families.push({ name, help: rest, type: "", samples: [] });
    else if (word === "TYPE" && open?.name === name) open.type = rest;
    else if (line !== "") open?.samples.push(line);
  }
  return families;
}

/** What breaks the conventions of names, units, types and labels. Empty: nothing. */
export function faultsOf(family: MetricFamily): string[] {
  const { name, type, help, samples } = family;
  const rules: readonly (readonly [string, boolean])[] = [
    ["its name is not of lower case words", /^pretrain_[a-z0-9]+(_[a-z0-9]+)*$/.test(name)],
    ["it has no type", ["counter", "gauge", "histogram"].includes(type)],
    ["its help is no sentence", /^[A-Z0-9].*\.$/.test(help)],
    ["counters, and they alone, end in _total", (type === "counter") === name.endsWith("_total")],
    ["its unit is no base unit", !/_(ms|milliseconds|minutes|hours|kb|mb|mib|percent)(_|$)/.test(name)],
    ["a time or size is not last in its name", !/_(seconds|bytes)_(?!total$)/.test(name)],
    ["a sample is not its own", samples.every((sample) => isOf(family, sample))],
    ["it has too many series", samples.length <= 2000],
  ];
  return rules.filter(([, holds]) => !holds).map(([fault]) => `${name}: ${fault}`);
}

const sampleLine = /^([a-z0-9_]+)(\{([a-z_]+="[^"\n]*",?)*\})? (NaN|[+-]Inf|-?[0-9.e+-]+)$/;

function isOf({ name, type }: MetricFamily, sample: string): boolean {
  const [, found] = sampleLine.exec(sample) ?? [];
  const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  return suffixes.some((suffix) => found === name + suffix);
}
