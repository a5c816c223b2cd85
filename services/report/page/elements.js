/** Elements of the page. Text always becomes a text node: no string is ever read as markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>} [attributes] functions listen to the event of that name
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, String(value));
  }
  made.append(...present(children));
  return made;
}

/**
 * Replaces what an element holds, only if its text or structure differs: so a selection or the focus survives.
 * @param {Element} parent
 * @param {readonly Child[]} children
 */
export function fill(parent, children) {
  const fresh = document.createElement("div");
  fresh.append(...present(children));
  if (fresh.innerHTML !== parent.innerHTML) parent.replaceChildren(...fresh.childNodes);
}

/** @param {readonly Child[]} children @returns {(Node | string)[]} */
function present(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [typeof child === "number" ? String(child) : child];
  });
}
