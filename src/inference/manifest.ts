import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageDirectory } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { hint } from '../core/nearest.ts';
import { valueProblems } from '../core/option-problems.ts';
import { formatPath } from '../core/pipeline.ts';

const pair = z.tuple([z.number(), z.number()]);
const triple = z.tuple([z.number(), z.number(), z.number()]);

/** What stands in `models/NAME.yaml`. */
export const manifestSchema = z.strictObject({
  name: z.string().describe('name of the model'),
  file: z.string().describe('the .onnx file, beside the manifest'),
  sha256: z.string().length(64).optional().describe('hash of the .onnx file, hexadecimal'),
  licence: z.string().optional().describe('licence of the weights'),
  input: z
    .strictObject({
      name: z.string().describe('name of the input tensor'),
      layout: z.enum(['NHWC', 'NCHW']).describe('order of the dimensions'),
      dtype: z.enum(['uint8', 'float32']).describe('type of the elements'),
      width: z.int().positive().describe('pixels'),
      height: z.int().positive().describe('pixels'),
      channels: z.enum(['RGB', 'BGR']).default('RGB').describe('order of the colours'),
      range: pair.optional().describe('float32 only: what 0 and 255 become, default [0, 1]'),
      mean: triple.optional().describe('float32 only: subtracted after scaling to range'),
      std: triple.optional().describe('float32 only: divided by, after mean'),
      view: z
        .string()
        .regex(/^(any|\d+(\.\d+)?:\d+(\.\d+)?)$/, {
          error: 'must be "any" or a ratio such as "4:3"',
        })
        .default('any')
        .describe('shape of the view that is squeezed into width × height: "4:3", or "any"'),
    })
    .describe('what the model takes'),
  output: z
    .strictObject({
      name: z.string().describe('name of the output tensor'),
      meaning: z
        .enum(['metres', 'inverse-relative', 'log', 'disparity'])
        .describe('what its values are'),
      range: pair.optional().describe('smallest and largest depth it can give, metres'),
      scale: z
        .number()
        .optional()
        .describe('inverse-relative, disparity: metres = 1 / (scale·x + shift)'),
      shift: z.number().optional().describe('see scale'),
    })
    .describe('what the model gives'),
  parameters: z.int().optional().describe('number of weights'),
  macs: z.number().optional().describe('multiply-accumulates per frame'),
  training: z.unknown().optional().describe('data and command, for people'),
  metrics: z.unknown().optional().describe('accuracy by data set, for people'),
  card: z.string().optional().describe('what to know before using it'),
});

export type Manifest = z.output<typeof manifestSchema>;

/** A model that has been found, with its manifest checked; not loaded yet. */
export interface Model {
  readonly manifest: Manifest;
  /** Path of the .onnx file. */
  readonly path: string;
  /** Hash of the .onnx file, hexadecimal. */
  readonly sha256: string;
}

/** Aspect ratio of the view that the model was trained on, or nothing if any will do. */
export function viewAspect(manifest: Manifest): number | undefined {
  const [width, height] = manifest.input.view.split(':').map(Number);
  return width && height ? width / height : undefined;
}

/**
 * Finds a model by name (`models/NAME.yaml` under `baseDirectory`, then in the package) or by the
 * path of its .onnx or .yaml file.
 *
 * @throws DepthlineError `MODEL` that says which models there are, or which lines are missing
 */
export async function findModel(nameOrPath: string, baseDirectory: string): Promise<Model> {
  const manifestPath = locate(nameOrPath, baseDirectory);
  const manifest = await readManifest(manifestPath);
  const path = resolve(dirname(manifestPath), manifest.file);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new DepthlineError(
      'MODEL',
      `${manifestPath} names ${manifest.file}, which cannot be read: ${reason(error)}`,
    );
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (manifest.sha256 !== undefined && manifest.sha256 !== sha256) {
    throw new DepthlineError(
      'MODEL',
      `${path} is not the file that its manifest describes (sha256 ${sha256.slice(0, 12)}…, manifest ${manifest.sha256.slice(0, 12)}…); restore the file or correct ${manifestPath}`,
    );
  }
  return { manifest, path, sha256 };
}

/** Names of the models under `baseDirectory` and in the package. */
export function modelNames(baseDirectory: string): string[] {
  const names = modelDirectories(baseDirectory)
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'));
  return [...new Set(names)].sort();
}

function modelDirectories(baseDirectory: string): string[] {
  return [join(baseDirectory, 'models'), join(packageDirectory(), 'models')];
}

function locate(nameOrPath: string, baseDirectory: string): string {
  const ending = extname(nameOrPath);
  if (ending === '.onnx' || ending === '.yaml' || ending === '.yml') {
    const path = resolve(baseDirectory, nameOrPath);
    if (!existsSync(path)) throw new DepthlineError('MODEL', `there is no file ${path}`);
    // Without a manifest the loader shows what the model is and what to write; it needs the path.
    return ending === '.onnx' ? path.replace(/\.onnx$/, '.yaml') : path;
  }
  for (const directory of modelDirectories(baseDirectory)) {
    const path = join(directory, `${nameOrPath}.yaml`);
    if (existsSync(path)) return path;
  }
  throw new DepthlineError(
    'MODEL',
    `there is no model "${nameOrPath}"${hint(nameOrPath, modelNames(baseDirectory))} (or give the path of an .onnx file)`,
  );
}

async function readManifest(path: string): Promise<Manifest> {
  const onnx = path.replace(/\.ya?ml$/, '.onnx');
  if (!existsSync(path)) throw new MissingManifest(onnx, path);
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new DepthlineError('MODEL', `${path} is not valid YAML: ${reason(error)}`);
  }
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = valueProblems(manifestSchema, value)
    .map((problem) => `${path}: ${formatPath(problem.path)}: ${problem.message}`)
    .join('\n');
  throw new DepthlineError('MODEL', problems);
}

/** An .onnx file without a manifest; whoever can read the model adds what it is. */
export class MissingManifest extends DepthlineError {
  readonly modelPath: string;
  readonly manifestPath: string;

  constructor(modelPath: string, manifestPath: string) {
    super('MODEL', `${modelPath} has no manifest`);
    this.modelPath = modelPath;
    this.manifestPath = manifestPath;
  }
}
