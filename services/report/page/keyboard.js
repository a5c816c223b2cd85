/** Single keys for what is done often. They rest while somebody writes or a dialog is open, and leave the browser's own keys alone. */

/**
 * @param {Readonly<Record<string, () => void>>} keys
 * @param {(at: number) => void} onDigit 1 to 9, from 0
 */
export function onKeys(keys, onDigit) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isBusy(event.target)) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act !== undefined) {
      event.preventDefault(); // else the key would be typed into what it opens
      act();
    } else if (/^[1-9]$/.test(event.key)) onDigit(Number(event.key) - 1);
  });
}

/** @param {EventTarget | null} target */
function isBusy(target) {
  if (document.querySelector("dialog[open]") !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  const types = target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
  return types || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
