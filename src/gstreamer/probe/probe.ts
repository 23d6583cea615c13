import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryPoint } from '../../core/entry-point.ts';

/** A probe that hangs (a driver, a display) has failed. */
const probeWithinMs = 8000;

/**
 * Runs a launch line in a process of its own.
 *
 * @returns GStreamer's reason why it does not work, or undefined if it does
 */
export function probe(line: string): Promise<string | undefined> {
  const host = fileURLToPath(entryPoint('gstreamer/probe/probe-host'));
  const options = { timeout: probeWithinMs, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [host], options, (_, stdout, stderr) => {
      resolve(stdout.startsWith('works') ? undefined : problem(stdout, stderr));
    });
    // A process that could not start closes its stdin; its exit is what counts.
    child.stdin?.on('error', () => {});
    child.stdin?.end(line);
  });
}

function problem(stdout: string, stderr: string): string {
  const json = stdout.split('\n').find((text) => text.startsWith('{'));
  if (json) return (JSON.parse(json) as { message: string }).message;
  return stderr.trim().split('\n').at(-1) || 'GStreamer crashed or hung';
}
