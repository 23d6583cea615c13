import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { entryPoint } from '../core/entry-point.ts';
import { type Engine, engines, type Fusion } from '../core/fusion.ts';
import { scalers } from './launch-line.ts';

/** A probe that hangs (a driver, a display) counts as absent. */
const probeWithinMs = 8000;

const cache = new Map<Engine, Promise<boolean>>();

/**
 * Engines of this machine that these fused operators may use, best first, `cpu` always among them.
 * An engine that a resize names is tried out; under `auto` only those whose hardware is there are.
 */
export async function availableEngines(fusions: readonly Fusion[]): Promise<readonly Engine[]> {
  const wanted = engines.filter((engine) => engine !== 'cpu' && isCandidate(engine, fusions));
  const works = await Promise.all(wanted.map(engineWorks));
  return [...wanted.filter((_, i) => works[i]), 'cpu'];
}

function isCandidate(engine: Engine, fusions: readonly Fusion[]): boolean {
  return fusions.some((fusion) => {
    if (fusion.do !== 'resize') return false;
    return fusion.on === engine || (fusion.on === 'auto' && hasHardware(engine));
  });
}

/** Software rendering initialises as well, but is slower than `cpu`: so look for a device. */
function hasHardware(engine: Engine): boolean {
  if (engine === 'nvvidconv')
    return existsSync('/dev/nvmap') || existsSync('/etc/nv_tegra_release');
  const nvidia = existsSync('/dev/nvidiactl');
  if (engine === 'cuda') return nvidia;
  const render =
    existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  return engine === 'va' ? render : render || nvidia;
}

/** True if one picture passes through the engine. Tried out once per process. */
export function engineWorks(engine: Engine): Promise<boolean> {
  const known = cache.get(engine);
  if (known) return known;
  const line = ['videotestsrc num-buffers=1', 'video/x-raw,width=64,height=48']
    .concat(scalers[engine](32, 24, false), 'fakesink')
    .join(' ! ');
  const works = runs(line);
  cache.set(engine, works);
  return works;
}

/** Runs a launch line to its end in a process of its own; true if it got there. */
function runs(line: string): Promise<boolean> {
  const host = fileURLToPath(entryPoint(import.meta.url, './probe-host'));
  const options = { timeout: probeWithinMs, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    execFile(process.execPath, [host, line], options, (_, stdout) => {
      resolve(stdout.includes('works'));
    });
  });
}
