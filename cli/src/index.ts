/** What other programs may use of the command line: the whole system on one machine. */
export {
  type LocalSystem,
  type LocalSystemOptions,
  startLocalSystem,
} from "./local-system/local-system.ts";
