/** What a worker's end says to whoever started it: a supervisor, or a cluster that may start it again elsewhere. */
export const workerExit = {
  /** There is no more work, or it was asked to end and has handed back what it had. */
  done: 0,
  /** A defect, or something around it that is wrong and that its last line in the log names. */
  fault: 1,
  /** What it was to compute on is not there or not free (EX_TEMPFAIL of sysexits.h): the same worker may do its work elsewhere. */
  deviceMissing: 75,
} as const;
