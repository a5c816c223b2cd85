/**
 * Ends another process when this one is gone, also if it was killed and could run nothing any more: a shell waits at a pipe
 * whose other end this process holds, and the kernel closes that end in any case.
 */
import { spawn } from "node:child_process";

/** @param exited when this settles, the watcher is dismissed, so that it never hits a later process with the same number */
export function endWithThisProcess(pid: number, exited: Promise<unknown>): void {
  const script = 'read -r line; kill -TERM "$0"';
  const watcher = spawn("/bin/sh", ["-c", script, String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watcher.unref();
  const dismiss = () => watcher.kill("SIGKILL");
  exited.then(dismiss, dismiss);
}
