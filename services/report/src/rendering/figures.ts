/**
 * How numbers, times and sizes are written in a record, in every language alike. Rules of our own: a locale or a time zone would make the same record
 * differ between two machines. What is not there is a dash, never a 0.
 */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { metricNamed } from "@pretrain/recipe";
import { counted } from "../record/wording.ts";

export { counted };

export const absent = "–";

/** With so many digits after the point; the sign of a number that rounds to zero is dropped. */
export function fixed(value: number | undefined, digits: number): string {
  if (value === undefined) return absent;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  const [whole = "", fraction] = value
    .toFixed(digits)
    .replace(/^-(0(\.0*)?)$/, "$1")
    .split(".");
  return fraction === undefined ? counted(whole) : `${counted(whole)}.${fraction}`;
}

/** Nats per token, as the original record writes losses. */
export function loss(value: number | undefined): string {
  return fixed(value, 4);
}

/** A deviation or its limit: `0`, `3.1e-6`, `8.764`. */
export function magnitude(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return fixed(value, 0);
  if (Math.abs(value) < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
  return fixed(value, 4).replace(/\.?0+$/, "");
}

/** -81.7 as `-81.7 %`, 3 as `+3.0 %`. */
export function change(percentage: number | undefined): string {
  if (percentage === undefined) return absent;
  const text = fixed(percentage, 1);
  return `${percentage > 0 && !/^[0.]+$/.test(text) ? "+" : ""}${text} %`;
}

/** 0.728 as `72.8 %`. */
export function percent(share: number | undefined): string {
  return share === undefined ? absent : `${fixed(share * 100, 1)} %`;
}

export function milliseconds(value: number | undefined): string {
  return value === undefined ? absent : `${fixed(value, 2)} ms`;
}

/** `42.1 s`, `1 min 36 s`, `11 h 43 min 00 s`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return absent;
  if (seconds < 59.95) return `${fixed(seconds, 1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours === 0) return `${minutes} min ${pair(rest)} s`;
  return `${counted(hours)} h ${pair(minutes)} min ${pair(rest)} s`;
}

const sizes = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
] as const;

/** In powers of 1000: `1.48 GB`. */
export function bytes(value: number | bigint | undefined): string {
  if (value === undefined) return absent;
  const number = Number(value);
  const [unit, name] = sizes.find(([size]) => Math.abs(number) >= size) ?? [1, "B"];
  return unit === 1 ? `${fixed(number, 0)} B` : `${fixed(number / unit, 2)} ${name}`;
}

/** `2025-07-30 15:54:41 UTC`. */
export function moment(time: Timestamp | undefined): string {
  if (time === undefined) return absent;
  return `${timestampDate(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `15:54:41`, where the day is clear. */
export function clock(time: Timestamp | undefined): string {
  return time === undefined ? absent : timestampDate(time).toISOString().slice(11, 19);
}

/** The value of a metric of the table, in the form that its unit asks for. */
export function metricValue(metric: string, value: number | undefined): string {
  if (value === undefined) return absent;
  if (metric === "train/lr") return fixed(value, 6);
  switch (metricNamed(metric)?.unit) {
    case "nats per token":
    case "bits per byte":
    case "bits per character":
      return loss(value);
    case "ratio":
      return percent(value);
    case "seconds":
      return metric.startsWith("perf/") ? milliseconds(value * 1000) : duration(value);
    case "bytes":
      return bytes(value);
    case "tokens":
    case "tokens per second":
      return fixed(value, 0);
    default:
      return fixed(value, 2);
  }
}

function pair(value: number): string {
  return String(value).padStart(2, "0");
}
