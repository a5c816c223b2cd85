/** Going from view to view without loading the page again: curves and the list stay, also while the service is away. */

/** @param {() => void} onChange the address has changed */
export function followLinks(onChange) {
  addEventListener("popstate", onChange);
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("a") : null;
    if (target === null || event.defaultPrevented || event.button !== 0 || isOther(event, target)) return;
    event.preventDefault();
    go(target.pathname + target.search);
  });
}

/** @param {string} path */
export function go(path) {
  if (path !== location.pathname + location.search) history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

/**
 * What is not one of the page's views, or is wanted elsewhere, is the browser's.
 * @param {MouseEvent} event
 * @param {HTMLAnchorElement} link
 */
function isOther(event, link) {
  const isModified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  const isOurs = link.origin === location.origin && /^\/($|start$|compare$|experiments\/[^/]+$)/.test(link.pathname);
  return isModified || !isOurs || link.target !== "" || link.hash !== "";
}
