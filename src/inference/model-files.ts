import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse } from 'yaml';
import type { z } from 'zod';
import { hint } from '../core/did-you-mean.ts';
import { packageDirectory } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { formatProblem, valueProblems } from '../core/option-problems.ts';
import { readRegularFile, requireRegularFile } from '../core/regular-file.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import { parseManifest } from './parse-manifest.ts';
import { missingManifest } from './suggest-manifest.ts';

/** What every manifest says. */
interface ManifestBase {
  readonly file: string;
  readonly sha256?: string | undefined;
}

/** A model that has been found, with its manifest checked; not loaded yet. */
export interface ModelFiles<M extends ManifestBase = Manifest> {
  readonly manifest: M;
  /** Path of the manifest. */
  readonly manifestPath: string;
  /** Path of the .onnx file. */
  readonly path: string;
  /** Size of the .onnx file, bytes. */
  readonly bytes: number;
}

/** A model whose file is the one that its manifest describes. */
export interface Model<M extends ManifestBase = Manifest> extends ModelFiles<M> {
  /** Hash of the .onnx file, hexadecimal. */
  readonly sha256: string;
}

/**
 * Finds a model by its name (`models/NAME.yaml` under `baseDirectory`, then in the package), or by
 * the path of its .onnx or .yaml file from `baseDirectory`.
 *
 * @throws DepthlineError `MODEL` that says which models there are, or what is wrong with this one
 */
export function findModel(nameOrPath: string, baseDirectory: string): Promise<ModelFiles> {
  return findModelOf('mono', manifestSchema, nameOrPath, baseDirectory);
}

/** Pictures that a network takes, and the operator that runs it. */
const operators = { mono: 'estimate-depth', stereo: 'estimate-stereo' } as const;
export type ModelKind = keyof typeof operators;

/** `kind` of a model's manifest, as it is written; `undefined` if it cannot be read. */
export async function kindOfModel(
  nameOrPath: string,
  baseDirectory: string,
): Promise<ModelKind | undefined> {
  const value = await locate(nameOrPath, baseDirectory)
    .then((path) => readRegularFile(path, maxManifestBytes))
    .then(parseManifest)
    .catch(() => undefined);
  return value === undefined ? undefined : kindOf(value);
}

function kindOf(manifest: unknown): ModelKind {
  return (manifest as { kind?: unknown } | null)?.kind === 'stereo' ? 'stereo' : 'mono';
}

/**
 * The same for models of another kind, with the schema of their manifests.
 *
 * @throws DepthlineError `MODEL`
 */
export async function findModelOf<M extends ManifestBase>(
  kind: ModelKind,
  schema: z.ZodType<M>,
  nameOrPath: string,
  baseDirectory: string,
): Promise<ModelFiles<M>> {
  const manifestPath = await locate(nameOrPath, baseDirectory);
  const manifest = await readManifest(manifestPath, kind, schema);
  const path = resolve(dirname(manifestPath), manifest.file);
  try {
    await requireRegularFile(path);
    const { size } = await stat(path);
    return { manifest, manifestPath, path, bytes: size };
  } catch (cause) {
    const message = `${manifestPath} names the file ${manifest.file}, which cannot be read: ${reason(cause)}`;
    throw new DepthlineError('MODEL', message, { cause });
  }
}

/** Bytes; to wait for the parts of a small file takes longer than to read and to hash it. */
const hashedAtOnce = 2 ** 24;
/** Bytes; smaller parts take longer to read than to hash. */
const part = 2 ** 20;

/**
 * Hashes the model's file.
 *
 * @throws DepthlineError `MODEL` if that is not the hash in its manifest
 */
export async function verifyModel<M extends ManifestBase>(model: ModelFiles<M>): Promise<Model<M>> {
  const { path, bytes, manifest, manifestPath } = model;
  const hash = createHash('sha256');
  try {
    if (bytes <= hashedAtOnce) hash.update(readFileSync(path));
    else await pipeline(createReadStream(path, { highWaterMark: part }), hash);
  } catch (error) {
    throw new DepthlineError('MODEL', `${path} cannot be read: ${reason(error)}`);
  }
  const sha256 = hash.digest('hex');
  if (manifest.sha256 === undefined || manifest.sha256 === sha256) return { ...model, sha256 };
  throw new DepthlineError(
    'MODEL',
    `${path} is not the file that its manifest describes: its sha256 is ${sha256}, the manifest says ${manifest.sha256}; restore the file, or correct sha256 in ${manifestPath}`,
  );
}

/** Names of the models under `baseDirectory` and in the package. */
export async function modelNames(baseDirectory: string): Promise<string[]> {
  const files = await Promise.all(modelDirectories(baseDirectory).map(filesIn));
  const names = files
    .flat()
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'));
  return [...new Set(names)].sort();
}

function modelDirectories(baseDirectory: string): string[] {
  return [join(baseDirectory, 'models'), join(packageDirectory(), 'models')];
}

async function filesIn(directory: string): Promise<string[]> {
  return existsSync(directory) ? readdir(directory) : [];
}

/** Files that a model may be read from, whether they exist or not: manifests and .onnx files. */
export function modelPaths(nameOrPath: string, baseDirectory: string): string[] {
  const stems = /\.(onnx|ya?ml)$/.test(nameOrPath)
    ? [resolvePath(baseDirectory, nameOrPath).replace(/\.(onnx|ya?ml)$/, '')]
    : modelDirectories(baseDirectory).map((directory) => join(directory, nameOrPath));
  return stems.flatMap((stem) => ['.onnx', '.yaml', '.yml'].map((ending) => stem + ending));
}

/** Path of the manifest. */
async function locate(nameOrPath: string, baseDirectory: string): Promise<string> {
  if (/\.(onnx|ya?ml)$/.test(nameOrPath)) return locatePath(nameOrPath, baseDirectory);
  for (const directory of modelDirectories(baseDirectory)) {
    const path = join(directory, `${nameOrPath}.yaml`);
    if (existsSync(path)) return path;
    const onnx = join(directory, `${nameOrPath}.onnx`);
    if (existsSync(onnx)) throw await missingManifest(onnx);
  }
  const advice = hint(nameOrPath, await modelNames(baseDirectory));
  throw new DepthlineError(
    'MODEL',
    `there is no model "${nameOrPath}" in ${join(baseDirectory, 'models')} or in the package, and it is not the path of an .onnx file${advice}`,
  );
}

async function locatePath(given: string, baseDirectory: string): Promise<string> {
  const path = resolvePath(baseDirectory, given);
  const ending = extname(path);
  if (!existsSync(path)) {
    const directory = dirname(path);
    // A link whose target is missing bears the name itself.
    const others = (await filesIn(directory)).filter(
      (file) => extname(file) === ending && file !== basename(path),
    );
    throw new DepthlineError('MODEL', `there is no file ${path}${hint(basename(path), others)}`);
  }
  if (ending !== '.onnx') return path;
  const manifest = ['.yaml', '.yml']
    .map((yaml) => path.replace(/\.onnx$/, yaml))
    .find((candidate) => existsSync(candidate));
  if (manifest === undefined) throw await missingManifest(path);
  return manifest;
}

/** Far above any manifest that people write; bytes. */
const maxManifestBytes = 2 ** 20;

/** What was read of each manifest last, by kind and path: to open a pipeline asks for it several times. */
const known = new Map<string, { readonly text: string; readonly manifest: unknown }>();

/**
 * Reads all of a model's manifest, also what a run leaves out because it only informs.
 *
 * @throws DepthlineError `MODEL` with the place of what is not YAML
 */
export async function requireWholeManifest({
  manifestPath,
}: ModelFiles<ManifestBase>): Promise<void> {
  try {
    parse(await readRegularFile(manifestPath, maxManifestBytes));
  } catch (error) {
    throw unreadable(manifestPath, error);
  }
}

function unreadable(path: string, cause: unknown): DepthlineError {
  const message = `the manifest ${path} cannot be read: ${reason(cause)}`;
  return new DepthlineError('MODEL', message, { cause });
}

async function readManifest<M>(path: string, kind: ModelKind, schema: z.ZodType<M>): Promise<M> {
  const fail = (message: string) => new DepthlineError('MODEL', message);
  const key = `${kind} ${path}`;
  let text: string;
  let value: unknown;
  try {
    text = await readRegularFile(path, maxManifestBytes);
    const before = known.get(key);
    if (before?.text === text) return before.manifest as M;
    value = parseManifest(text);
  } catch (error) {
    throw unreadable(path, error);
  }
  const found = kindOf(value);
  if (found !== kind) {
    const what = { mono: 'single pictures', stereo: 'stereo pairs' }[found];
    throw fail(`${path} describes a model for ${what}; use "${operators[found]}" for it`);
  }
  const result = schema.safeParse(value);
  if (result.success) {
    known.set(key, { text, manifest: result.data });
    return result.data;
  }
  const problems = valueProblems(schema, value).map(
    (problem) => `${path}: ${formatProblem(problem)}`,
  );
  throw fail(problems.join('\n'));
}
