/** Where answers to a process arrive: under its own name, so that a broker with permissions can keep them from everybody else. */
export function inboxPrefix(identity: string): string {
  return `_INBOX_${identity}`;
}
