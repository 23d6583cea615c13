import { basename } from 'node:path';
import { DepthlineError, reason } from '../core/errors.ts';
import type { MissingManifest } from './manifest.ts';

/** What to write for a model without a manifest, from the model's real inputs and outputs. */
export async function suggestManifest(missing: MissingManifest): Promise<DepthlineError> {
  const { modelPath, manifestPath } = missing;
  try {
    const { InferenceSession } = await import('onnxruntime-node');
    const session = await InferenceSession.create(modelPath);
    const input = session.inputMetadata[0];
    const shape = input?.isTensor
      ? input.shape.map((size) => (typeof size === 'number' ? size : 1))
      : [];
    const planar = Number(shape[1]) <= 4;
    const [height, width] = planar ? [shape[2], shape[3]] : [shape[1], shape[2]];
    const lines = [
      `name: ${basename(modelPath, '.onnx')}`,
      `file: ${basename(modelPath)}`,
      `input: { name: "${session.inputNames[0]}", layout: ${planar ? 'NCHW' : 'NHWC'}, dtype: ${input?.isTensor ? input.type : '?'}, width: ${width}, height: ${height}, channels: RGB }`,
      `output: { name: "${session.outputNames[0]}", meaning: metres }  # or inverse-relative, log, disparity`,
    ];
    const has = [...session.inputMetadata, ...session.outputMetadata].map((value) =>
      value.isTensor ? `${value.name}: ${value.type} [${value.shape.join(', ')}]` : value.name,
    );
    await session.release();
    return new DepthlineError(
      'MODEL',
      `${modelPath} has no manifest. The model has ${has.join('; ')}. Write ${manifestPath}:\n\n${lines.join('\n')}\n`,
    );
  } catch (error) {
    return new DepthlineError(
      'MODEL',
      `${modelPath} has no manifest and cannot be loaded: ${reason(error)}`,
    );
  }
}
