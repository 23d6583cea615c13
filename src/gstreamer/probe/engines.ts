import { existsSync, readdirSync } from 'node:fs';
import { type Engine, engines, type Fusion } from '../../core/fusion.ts';
import { type Head, scalers } from '../launch-line.ts';
import { probe } from './probe.ts';

const cache = new Map<Engine, Promise<boolean>>();

/**
 * Engines of this machine that a source's launch line may use, best first, `cpu` always among them.
 * An engine named by a resize is tried; with `auto`, only engines whose hardware is present are.
 */
export async function availableEngines(
  head: Head,
  fusions: readonly Fusion[],
): Promise<readonly Engine[]> {
  const wanted = engines.filter((engine) => isCandidate(engine, head, fusions));
  const works = await Promise.all(wanted.map(engineWorks));
  return [...wanted.filter((_, i) => works[i]), 'cpu'];
}

function isCandidate(engine: Engine, head: Head, fusions: readonly Fusion[]): boolean {
  if (engine === 'cpu') return false;
  // A Jetson's decoders output pictures in memory that only nvvidconv reads.
  if (engine === 'nvvidconv' && head.memory === 'decoded' && hasHardware(engine)) return true;
  // Pictures in a Jetson's video memory come from a Jetson.
  const here = hasHardware(engine) || (engine === 'nvvidconv' && head.memory === 'nvmm');
  return fusions.some((fusion) => {
    if (fusion.do !== 'resize') return false;
    return fusion.on === engine || (fusion.on === 'auto' && here);
  });
}

/** Software rendering initialises as well, but is slower than `cpu`: so look for a device. */
export function hasHardware(engine: Engine): boolean {
  if (engine === 'cpu') return true;
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
  const works = probe(line).then((problem) => problem === undefined);
  cache.set(engine, works);
  return works;
}
