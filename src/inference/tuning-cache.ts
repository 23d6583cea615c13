import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DepthlineError, reason } from '../core/errors.ts';
import { makeFolderSync } from '../core/make-folder.ts';
import { powerMode } from '../device/power.ts';

const require = createRequire(import.meta.url);

/** Most pictures in one call. */
export const mostBatch = 16;

/** Settings of a model that `depthline tune` found to be the best on one machine. */
const tuningSchema = z.object({
  key: z.looseObject({ model: z.string() }),
  workers: z.int().min(1),
  threads: z.int().min(1),
  session: z.object({
    spinning: z.boolean(),
    arena: z.boolean(),
    graph: z.enum(['all', 'extended', 'basic']),
  }),
  /** For several cameras, if calls of several pictures are faster with this model: how many, and how. */
  batch: z
    .object({
      size: z.int().min(2).max(mostBatch),
      workers: z.int().min(1),
      threads: z.int().min(1),
      fps: z.number(),
    })
    .optional(),
  /** The graph as ONNX Runtime has rewritten it for this machine, and its hash. */
  saved: z.object({ path: z.string(), sha256: z.string() }).optional(),
  /** Of the winner and of the default settings, in the same run. */
  fps: z.number(),
  defaultFps: z.number(),
  date: z.string(),
});

export type Tuning = z.output<typeof tuningSchema>;

/** What the best settings depend on. */
export interface TuningKey {
  /** Hash of the .onnx file. */
  readonly model: string;
  readonly runtime: string;
  readonly processor: string;
  readonly providers: readonly string[];
  /** Of a Jetson: `nvpmodel -q`. */
  readonly powerMode: string | undefined;
}

export function tuningKey(sha256: string, providers: readonly string[]): TuningKey {
  const processors = cpus();
  return {
    model: sha256,
    runtime: runtimeVersion(),
    processor: `${processors.length} × ${processors[0]?.model.trim()}, ${arch()}`,
    providers,
    powerMode: powerMode()?.name,
  };
}

/** Version of ONNX Runtime; read from its package, since loading the library takes time. */
function runtimeVersion(): string {
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  return version;
}

/** `$DEPTHLINE_CACHE`, or `depthline` in the user's cache folder. */
export function tuningFolder(env: Readonly<Record<string, string | undefined>> = process.env) {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(env.DEPTHLINE_CACHE || join(cache, 'depthline'), 'tuning');
}

/** False where nothing has been tuned: then no key is needed, which takes a program to find on a Jetson. */
export function isTuned(): boolean {
  return existsSync(tuningFolder());
}

function fileOf(key: TuningKey): string {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24);
  return join(tuningFolder(), `${name}.json`);
}

/** Where the rewritten graph of a model belongs. */
export function savedGraphPath(key: TuningKey): string {
  return fileOf(key).replace(/json$/, 'onnx');
}

/** The settings found for this model on this machine; `warn` is called for a record that cannot be used. */
export function readTuning(key: TuningKey, warn: (message: string) => void): Tuning | undefined {
  const path = fileOf(key);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const tuning = tuningSchema.parse(JSON.parse(text));
    const { saved } = tuning;
    if (!saved || hashOf(saved.path) === saved.sha256) return tuning;
    warn(
      `${saved.path} is not the graph that was saved; using the model itself (run "depthline tune" again)`,
    );
    const { saved: _, ...rest } = tuning;
    return rest;
  } catch {
    warn(`${path} is damaged and ignored; run "depthline tune" to replace it`);
    return undefined;
  }
}

/** @throws DepthlineError `MISSING` if the folder cannot be written */
export function writeTuning(key: TuningKey, tuning: Omit<Tuning, 'key'>): string {
  const path = fileOf(key);
  try {
    makeFolderSync(tuningFolder());
    // A link of that name must not be followed.
    rmSync(`${path}.part`, { force: true });
    const text = `${JSON.stringify({ key, ...tuning }, null, 1)}\n`;
    writeFileSync(`${path}.part`, text, { flag: 'wx' });
    renameSync(`${path}.part`, path);
  } catch (cause) {
    const message = `cannot write ${path}: ${reason(cause)}; set DEPTHLINE_CACHE to a writable folder`;
    throw new DepthlineError('MISSING', message, { cause });
  }
  return path;
}

/**
 * Removes the settings found for this model on this machine, and the graph that was saved with them.
 *
 * @returns path of the settings, or undefined if there are none
 * @throws DepthlineError `MISSING` if the file cannot be removed
 */
export function forgetTuning(key: TuningKey): string | undefined {
  const path = fileOf(key);
  const found = existsSync(path);
  try {
    for (const file of [path, savedGraphPath(key)]) rmSync(file, { force: true });
  } catch (cause) {
    throw new DepthlineError('MISSING', `cannot remove ${path}: ${reason(cause)}`, { cause });
  }
  return found ? path : undefined;
}

/** Undefined if the file cannot be read. */
export function hashOf(path: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return undefined;
  }
}
