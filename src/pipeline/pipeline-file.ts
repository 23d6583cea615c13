import { resolve } from 'node:path';
import { z } from 'zod';
import type { OperatorDefinition } from '../core/component.ts';
import { hint, nearest } from '../core/did-you-mean.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { valueProblems } from '../core/option-problems.ts';
import type { Registry } from '../core/registry.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { noteSecrets } from '../core/secrets.ts';
import {
  type AnyPipeline,
  type CameraPipelines,
  hasCameras,
  inspectCameras,
  ofOneSource,
  type PartialCameras,
} from './cameras.ts';
import { componentProblems } from './component-checks.ts';
import { FileComponents } from './file-components.ts';
import { extensionPrefix, fileKeys, isMapping, type Mapping } from './file-schema.ts';
import { forCameras } from './for-cameras.ts';
import { inspectPipeline, type Pipeline, type PipelineParts, type Problem } from './pipeline.ts';
import { type ServeOptions, serveSchema } from './serve-options.ts';
import { applySettings, interpolate } from './settings.ts';
import { Texts } from './texts.ts';
import { checkTimingTests, type TimingTest, timingTestSchema } from './timing-test.ts';
import { addModules, modulePaths } from './use-module.ts';
import { type FileProblem, YamlFile } from './yaml-file.ts';

/** What a pipeline file is read with. */
export interface LoadOptions {
  /** Components that the file may name; those of its `use` modules are added to a copy. */
  readonly registry: Registry;
  /** `--set` values: `source.video-file.path=other.mp4`. */
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Checks by the components, such as whether a model exists. `quick` (default) for what is about to
   * run, `thorough` also loads models, `none` for what runs elsewhere.
   */
  readonly checks?: 'none' | 'quick' | 'thorough';
  /** In place of the file's source and its tests: `{ mcap: { path: 'run.mcap' } }`. */
  readonly source?: Mapping | undefined;
  /** With `source`, and a file with `cameras`: the camera that it stands for; the others are left out. */
  readonly camera?: string | undefined;
}

/** What a pipeline file says, or what is wrong with it. */
export interface Loaded {
  /** The pipeline of a file with one `source`; only if there is no problem. */
  readonly pipeline: Pipeline | undefined;
  /** Those of a file with `cameras`; only if there is no problem. */
  readonly cameras: CameraPipelines | undefined;
  /** The file's `serve`, if it has one. */
  readonly serve: ServeOptions | undefined;
  /** Modules of the file's `use`, absolute paths. Node.js loads each once per process. */
  readonly modules: readonly string[];
  /** The file's `tests`. */
  readonly tests: readonly TimingTest[];
  readonly problems: readonly FileProblem[];
  /** The given registry and the components of the file's `use` modules. */
  readonly registry: Registry;
}

/** Largest file that is read, bytes. */
export const maxBytes = 2 ** 20;

/** Reads, resolves and checks a pipeline file. Every problem is reported, not only the first. */
export async function loadPipelineFile(file: string, options: LoadOptions): Promise<Loaded> {
  try {
    return await parsePipeline(await readRegularFile(file, maxBytes), file, options);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing
      ? 'there is no such file; "depthline list" shows the named pipelines'
      : `cannot be read: ${reason(error)}`;
    const problems = [{ file, line: 1, column: 1, message }];
    const { registry } = options;
    return { ...nothing, problems, registry };
  }
}

/** Like `loadPipelineFile`, from text; `file` names it in messages and locates `use` modules. */
export async function parsePipeline(
  text: string,
  file: string,
  options: LoadOptions,
): Promise<Loaded> {
  const yaml = new YamlFile(text, file);
  const registry = options.registry.copy();
  const value = yaml.read();
  const checked = value && (await check(value, file, yaml, { ...options, registry }));
  const { runs, ...rest } = checked ?? { runs: undefined };
  const whole = yaml.problems.length === 0 ? runs : undefined;
  return {
    ...nothing,
    ...rest,
    ...(whole && (hasCameras(whole) ? { cameras: whole } : { pipeline: whole })),
    problems: yaml.problems,
    registry,
  };
}

/** Of a file that says nothing. */
const nothing = {
  pipeline: undefined,
  cameras: undefined,
  serve: undefined,
  modules: [],
  tests: [],
} as const satisfies Partial<Loaded>;

/**
 * What is to run of a file: its pipeline, or those of its cameras.
 *
 * @throws DepthlineError `CONFIG` that lists every problem
 */
export function requireValid({ pipeline, cameras, problems }: Loaded): AnyPipeline {
  const runs = cameras ?? pipeline;
  if (runs) return runs;
  throw new DepthlineError('CONFIG', formatProblems(problems));
}

/**
 * The pipeline of a file with one `source`.
 *
 * @throws DepthlineError `CONFIG` that lists every problem, or says that the file has several cameras
 */
export async function requirePipeline(file: string, options: LoadOptions): Promise<Pipeline> {
  return ofOneSource(requireValid(await loadPipelineFile(file, options)), file);
}

/** `file:line:column: message`, a line each. */
export function formatProblems(problems: readonly FileProblem[]): string {
  return problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n');
}

async function check(
  value: Mapping,
  file: string,
  yaml: YamlFile,
  { registry, env = process.env, set = [], checks = 'quick', source, camera }: LoadOptions,
): Promise<Pick<Loaded, 'serve' | 'modules' | 'tests'> & { runs: AnyPipeline | undefined }> {
  // Other problems of a value that could not be resolved are consequences of that.
  const unresolved = new Set<string>();
  const report = (problem: Problem) => {
    if (!unresolved.has(JSON.stringify(problem.path))) yaml.report(problem);
  };
  const texts = new Texts();
  const own = Object.fromEntries(
    Object.entries(value).filter(([key]) => !key.startsWith(extensionPrefix)),
  );
  if (source) {
    // The times that a test states are those of the source that it was written for.
    delete own.tests;
    if (own.cameras === undefined) own.source = source;
  }
  const resolved = interpolate(own, env, texts, (problem) => {
    report(problem);
    unresolved.add(JSON.stringify(problem.path));
  }) as Mapping;
  applySettings(resolved, set, texts, report);
  noteSecrets([own, resolved, set]);
  const complete = await addModules(resolved.use, file, registry, report);
  const components = new FileComponents(registry, texts, report, complete);
  const modules = modulePaths(resolved.use, file);
  const found: Problem[] = [];
  const { runs, parts } = inspect(
    {
      name: file.replace(/^.*\//, '').replace(/\.ya?ml$/, ''),
      description: description(resolved.description, texts, report),
      operators: components.operators(resolved.operators, ['operators']),
      sinks: components.sinks(resolved.sinks),
      files: [resolve(file), ...modules],
    },
    source && resolved.cameras !== undefined ? instead(resolved, source, camera) : resolved,
    components,
    found,
    registry.list('operator') as OperatorDefinition[],
  );
  for (const part of checks === 'none' ? [] : parts)
    found.push(...(await componentProblems(part, checks === 'thorough')));
  const serve = resolved.serve === undefined ? undefined : served(resolved.serve, texts, found);
  let tests: TimingTest[] = [];
  if (runs && resolved.tests !== undefined) {
    const fitted = texts.fit(z.array(timingTestSchema), resolved.tests, ['tests']);
    tests = checkTimingTests(fitted, runs, found);
  }
  if (resolved.source === undefined && resolved.cameras === undefined)
    found.push({ path: ['source'], key: true, message: 'has no "source"' });
  // A misspelt key is not reported as missing too.
  const meant = unknownKeys(resolved, report);
  for (const problem of found) {
    const key = String(problem.path[0]);
    if (resolved[key] !== undefined || !meant.has(key)) report(problem);
  }
  return { runs, serve, modules, tests };
}

/**
 * The file with one camera, whose source is replaced.
 *
 * @throws DepthlineError `CONFIG` if the file has no such camera
 */
function instead(file: Mapping, source: Mapping, camera: string | undefined): Mapping {
  const names = Object.keys(isMapping(file.cameras) ? file.cameras : {});
  if (camera !== undefined && names.includes(camera))
    return { ...file, cameras: { [camera]: source }, absent: names };
  const message =
    camera === undefined
      ? `the pipeline has several cameras; say with --camera whose recording it is: ${names.join(', ')}`
      : `there is no camera "${camera}"${hint(camera, names)}`;
  throw new DepthlineError('CONFIG', message);
}

/** The pipeline with its source, or its cameras, and its parts for further checks. */
function inspect(
  input: Omit<PartialCameras, 'cameras'>,
  { source, cameras, absent }: Mapping,
  components: FileComponents,
  found: Problem[],
  known: readonly OperatorDefinition[],
): { readonly runs: AnyPipeline | undefined; readonly parts: readonly PipelineParts[] } {
  if (cameras === undefined) {
    forCameras(input, found);
    const use = source === undefined ? undefined : components.source(source);
    const { pipeline, parts } = inspectPipeline({ ...input, source: use }, found, known);
    return { runs: pipeline, parts: [parts] };
  }
  if (source !== undefined) {
    const message = 'there are "cameras" too; give it a name and move it there';
    found.push({ path: ['source'], key: true, message });
  }
  const named = components.cameras(cameras);
  // Reported; nothing is known of them.
  if (!isMapping(cameras)) return { runs: undefined, parts: [] };
  const { pipeline, parts } = inspectCameras(
    { ...input, cameras: named, absent: absent as readonly string[] | undefined },
    found,
    known,
  );
  return { runs: pipeline, parts };
}

/** Reports unknown keys; returns the keys that they most likely stand for. */
function unknownKeys(file: Mapping, report: (problem: Problem) => void): Set<string | undefined> {
  const unknown = Object.keys(file).filter((key) => !(fileKeys as readonly string[]).includes(key));
  for (const key of unknown) {
    report({ path: [key], key: true, message: `unknown key "${key}"${hint(key, fileKeys)}` });
  }
  return new Set(unknown.map((key) => nearest(key, fileKeys)));
}

function served(value: unknown, texts: Texts, problems: Problem[]): ServeOptions | undefined {
  const fitted = texts.fit(serveSchema, value, ['serve']);
  const result = serveSchema.safeParse(fitted);
  if (result.success) return result.data;
  for (const problem of valueProblems(serveSchema, fitted))
    problems.push({ ...problem, path: ['serve', ...problem.path] });
  return undefined;
}

function description(value: unknown, texts: Texts, report: (problem: Problem) => void): string {
  if (value === undefined) return '';
  const text = texts.fit(z.string(), value, ['description']);
  if (typeof text === 'string') return text;
  report({ path: ['description'], message: 'must be a string' });
  return '';
}
