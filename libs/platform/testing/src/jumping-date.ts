/**
 * Test support, for `node --import`: the process's date jumps an hour ahead, an hour back, and behind 2038, at every tenth look
 * at it. Clocks that only run forwards are left alone, as by a person who sets the date.
 */
const jumpsMs = [0, 3_600_000, -3_600_000, Date.UTC(2038, 0, 20) - Date.now()];
const RealDate = Date;
let looks = 0;

function jumpedNow(): number {
  looks += 1;
  return RealDate.now() + (jumpsMs[Math.floor(looks / 10) % jumpsMs.length] ?? 0);
}

globalThis.Date = class extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length === 0 ? [jumpedNow()] : given) as [number]));
  }

  static override now(): number {
    return jumpedNow();
  }
} as DateConstructor;
