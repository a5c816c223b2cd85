/** In English one thing is one thing and all else are several. */
export function several(count: string, one: string, many: string): string {
  return `${count} ${count === "1" ? one : many}`;
}
