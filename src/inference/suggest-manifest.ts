import { basename } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { DepthlineError } from '../core/errors.ts';
import { describeModel, unsupportedModel, unusable } from './model-contract.ts';
import { openModel } from './open-model.ts';

/** The error for an .onnx file without a manifest: what the model is, and the lines to write. */
export async function missingManifest(path: string): Promise<DepthlineError> {
  const manifestPath = path.replace(/\.onnx$/, '.yaml');
  let session: InferenceSession;
  try {
    session = await openModel(path);
  } catch (error) {
    return error as DepthlineError;
  }
  const unsupported = unsupportedModel(session);
  if (unsupported !== undefined) {
    const message = unusable(path, unsupported, describeModel(session));
    await session.release();
    return new DepthlineError('MODEL', message);
  }
  const lines = suggestManifest(session, basename(path));
  const message = `${path} has no manifest. The model has ${describeModel(session)}. Write ${manifestPath} as follows, fill in the meaning, and correct what differs:\n\n${lines.join('\n')}\n`;
  await session.release();
  return new DepthlineError('MODEL', message);
}

/** Lines of a manifest, as far as the model determines them. */
function suggestManifest(session: InferenceSession, file: string): string[] {
  const input = session.inputMetadata[0];
  const shape = input?.isTensor ? input.shape : [];
  const type = input?.isTensor ? input.type : 'float32';
  const planar = shape[1] === 3 || shape[3] !== 3;
  const [height, width] = planar ? shape.slice(2, 4) : shape.slice(1, 3);
  const anySize = typeof width !== 'number' || typeof height !== 'number';
  return [
    `name: ${file.replace(/\.onnx$/, '')}`,
    `file: ${file}`,
    'input:',
    `  name: ${JSON.stringify(session.inputNames[0])}`,
    `  layout: ${planar ? 'NCHW' : 'NHWC'}`,
    `  dtype: ${type}`,
    `  width: ${side(width)}${anySize ? '  # the model takes any size' : ''}`,
    `  height: ${side(height)}`,
    '  channels: RGB  # or BGR',
    ...(type !== 'uint8'
      ? [
          '  range: [0, 1]  # values of the bytes 0 and 255',
          '  mean: [0.485, 0.456, 0.406]  # subtracted; leave out if the model does it',
          '  std: [0.229, 0.224, 0.225]  # divisor',
        ]
      : []),
    '  view: "4:3"  # aspect of the view it was trained on, or any',
    'output:',
    `  name: ${JSON.stringify(session.outputNames[0])}`,
    // To be filled in: a wrong guess would claim metres.
    '  meaning:  # metres, log, inverse-relative or disparity, as its documentation says',
  ];
}

function side(size: number | string | undefined): number {
  return typeof size === 'number' ? size : 224;
}
