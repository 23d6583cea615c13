/** What the processes that run GStreamer have in common; the parent's side is `child-process.ts`. */

/** GStreamer's threads are not joined at exit, so only SIGKILL ends the process without a hang. */
export function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/**
 * Ctrl-C, `timeout` and systemd signal the whole process group; the parent decides when this
 * process ends. If the parent dies, the IPC channel closes.
 */
export function outliveSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
    process.on(signal, () => {});
}
