/** Values that several hold at once, and nobody may change. */

/** The same value; to change it, or anything inside it but bytes, throws a TypeError. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}
