/**
 * As much of the protocol-buffer wire format as reading TensorFlow's own descriptions takes: the fields of a message by number, each
 * with all of its values in order. A nested message is bytes, to be taken apart when it is of interest.
 */
export class Message {
  readonly #numbers = new Map<number, number[]>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  /** @throws RangeError when the bytes end within a field; TypeError for a kind of field that is not known here */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = { at: 0 };
    while (read.at < bytes.length) {
      const tag = variableLength(view, read);
      const field = Math.floor(tag / 8);
      switch (tag % 8) {
        case 0:
          append(this.#numbers, field, variableLength(view, read));
          break;
        case 1:
          append(this.#bytes, field, taken(bytes, read, 8));
          break;
        case 2:
          append(this.#bytes, field, taken(bytes, read, variableLength(view, read)));
          break;
        case 5:
          append(this.#bytes, field, taken(bytes, read, 4));
          break;
        default:
          throw new TypeError(`field ${field} is of the unknown kind ${tag % 8}`);
      }
    }
  }

  /** 0 when it is absent, as the format has it. Exact up to 2^53. */
  number(field: number): number {
    return this.#numbers.get(field)?.at(-1) ?? 0;
  }

  text(field: number): string {
    const bytes = this.#bytes.get(field)?.at(-1);
    return bytes === undefined ? "" : new TextDecoder().decode(bytes);
  }

  messages(field: number): Message[] {
    return (this.#bytes.get(field) ?? []).map((bytes) => new Message(bytes));
  }
}

function append<T>(fields: Map<number, T[]>, field: number, value: T): void {
  const values = fields.get(field);
  if (values === undefined) fields.set(field, [value]);
  else values.push(value);
}

/** Seven bits a byte, the lowest first; the highest bit says that another byte follows. */
function variableLength(view: DataView, read: { at: number }): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = view.getUint8(read.at++);
    value += (byte % 128) * scale;
    if (byte < 128) return value;
  }
}

function taken(bytes: Uint8Array, read: { at: number }, length: number): Uint8Array {
  const end = read.at + length;
  if (end > bytes.length) throw new RangeError(`a field of ${length} bytes ends behind the message`);
  const part = bytes.subarray(read.at, end);
  read.at = end;
  return part;
}
