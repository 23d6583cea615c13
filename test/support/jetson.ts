import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('./jetson', import.meta.url));

/** Why the stand-ins cannot be built here, or nothing. */
export const noStandIns = ((): string | undefined => {
  try {
    execFileSync('pkg-config', ['--exists', 'gstreamer-base-1.0', 'gstreamer-video-1.0']);
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'gcc, pkg-config or libgstreamer-plugins-base1.0-dev is missing';
  }
})();

/**
 * Builds the stand-ins for a Jetson's elements, and lets the processes that this one starts find them.
 *
 * @returns what takes that back
 */
export function useStandIns(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'stand-ins-'));
  const words = (...args: string[]) =>
    execFileSync('pkg-config', args, { encoding: 'utf8' }).trim().split(/\s+/);
  const line = [
    ...['-shared', '-fPIC', '-O1', '-Wall', '-Werror'],
    ...['-o', join(folder, 'libstandinjetson.so')],
    ...readdirSync(sources)
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(sources, name)),
    ...words('--cflags', '--libs', 'gstreamer-base-1.0', 'gstreamer-video-1.0'),
  ];
  execFileSync('gcc', line, { timeout: 110_000 });
  const before = { ...process.env };
  process.env.GST_PLUGIN_PATH = folder;
  // The registry of this user does not get to know them.
  process.env.GST_REGISTRY = join(folder, 'registry.bin');
  return () => {
    for (const name of ['GST_PLUGIN_PATH', 'GST_REGISTRY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    rmSync(folder, { recursive: true });
  };
}

/** Runs with settings of the stand-ins (`STAND_IN_…`). */
export async function withStandIn<T>(
  settings: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  Object.assign(process.env, settings);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(settings)) delete process.env[name];
  }
}
