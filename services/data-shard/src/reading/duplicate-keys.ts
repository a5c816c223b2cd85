/** Whether an object says the same thing twice. JSON.parse keeps the last value in silence, so the text itself is looked at. */

/**
 * @param json a valid JSON object
 * @returns whether `key` stands more than once in the outermost object, however it is escaped
 */
export function duplicatesKey(json: string, key: string): boolean {
  let depth = 0;
  let count = 0;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === '"') {
      const end = endOfString(json, index);
      if (depth === 1 && isKey(json, end) && JSON.parse(json.slice(index, end + 1)) === key) count += 1;
      index = end;
    }
  }
  return count > 1;
}

/** The index of the quotation mark that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end; // an odd number escapes the mark
  }
}

/** A string is a key when a colon follows; a value is followed by a comma or the end of what holds it. */
function isKey(json: string, end: number): boolean {
  let next = end + 1;
  while (" \t\r\n".includes(json[next] ?? "-")) next += 1;
  return json[next] === ":";
}
