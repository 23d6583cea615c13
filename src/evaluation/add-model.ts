import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { hint } from '../core/did-you-mean.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { makeFolder } from '../core/make-folder.ts';
import { NameTaken, writeNew, writeOver, writeOwn } from '../files/own-file.ts';
import { sinkError } from '../files/write-problem.ts';
import { knownModels } from '../inference/known-models.ts';
import { fittingTensors } from '../inference/known-tensors.ts';
import { type Manifest, manifestSchema } from '../inference/manifest.ts';
import { requireFit } from '../inference/model-check.ts';

export interface AddedModel {
  readonly name: string;
  /** Path of the .onnx file. */
  readonly path: string;
  readonly manifestPath: string;
  readonly manifest: Manifest;
}

/** Stands in every manifest that this command writes, and allows it to replace that. */
const mark = '# Written by "depthline models add".';

/**
 * Copies a downloaded model into a folder of models, with the ready manifest of its kind, once its inputs
 * and outputs fit that.
 *
 * @param file path of the .onnx file
 * @param as a name in `knownModels`
 * @param directory folder of models, made if it is missing
 * @param force replace other files of these names
 * @throws DepthlineError `CONFIG` if there is no such kind, `MODEL` if the file does not fit it
 * @throws NameTaken if another file has the name
 */
export async function addModel(
  file: string,
  as: string,
  directory: string,
  {
    name = as,
    force = false,
  }: { readonly name?: string | undefined; readonly force?: boolean } = {},
): Promise<AddedModel> {
  const known = Object.hasOwn(knownModels, as) ? knownModels[as] : undefined;
  if (!known) {
    const message = `there is no ready manifest "${as}"${hint(as, Object.keys(knownModels))}`;
    throw new DepthlineError('CONFIG', message);
  }
  const tensors = await fittingTensors(file, as, known);
  const data = await readFile(file).catch((error: unknown) => {
    throw new DepthlineError('MODEL', `${file} cannot be read: ${reason(error)}`);
  });
  const { summary: _, input, output, ...about } = known;
  const manifest = {
    name,
    file: `${name}.onnx`,
    sha256: sha256(data),
    ...about,
    input: { ...input, ...tensors.input },
    output: { ...output, ...tensors.output },
  };
  const path = join(directory, manifest.file);
  const manifestPath = join(directory, `${name}.yaml`);
  const checked = manifestSchema.parse(manifest);
  try {
    await makeFolder(directory);
    const copied = await copyModel(path, data, force);
    try {
      // Weights in a file beside it are not part of it, and would be missed here.
      await requireFit({ manifest: checked, manifestPath, path, bytes: data.length });
      const text = `${mark}\n${stringify(manifest)}`;
      await (force ? writeOver(manifestPath, text) : writeOwn(manifestPath, text, mark));
    } catch (error) {
      if (copied) await rm(path, { force: true });
      throw error;
    }
  } catch (error) {
    throw error instanceof DepthlineError ? error : sinkError(directory, error);
  }
  return { name, path, manifestPath, manifest: checked };
}

/** @returns false if the very file is there already */
async function copyModel(path: string, data: Uint8Array, force: boolean): Promise<boolean> {
  try {
    await writeNew(path, data);
    return true;
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error;
    const there = await readFile(path).catch(() => undefined);
    if (there && sha256(there) === sha256(data)) return false;
    if (!force) throw error;
    await writeOver(path, data);
    return false;
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
