/** Numbers as the page writes them; the same forms as in the record. */

/** @param {number} count */
export function counted(count) {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** @param {number | undefined} value nats per token */
export function loss(value) {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(4);
}

/** @param {number | undefined} seconds */
export function duration(seconds) {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes > 0 ? `${minutes} min ${String(whole % 60).padStart(2, "0")} s` : `${whole} s`;
}

/**
 * Along an axis or in a read-out: few digits, no noise.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return counted(value);
  if (size < 0.001) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(5)));
}

/**
 * A point in time in the reader's own zone, the zone written beside it.
 * @param {number} milliseconds since 1970
 */
export function localTime(milliseconds) {
  const time = new Date(milliseconds);
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const offset = -time.getTimezoneOffset();
  const zone =
    offset === 0
      ? "UTC"
      : `UTC${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())} ${zone}`;
}
