import { z } from 'zod';
import { findModelOf, type Model, type ModelFiles } from '../model-files.ts';

/** The content of `models/NAME.yaml` of a network that takes two pictures. */
export const stereoManifestSchema = z.strictObject({
  name: z.string().min(1).describe('name of the model'),
  kind: z.literal('stereo').describe('it takes two pictures'),
  file: z.string().min(1).describe('the .onnx file, beside the manifest'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
    .optional()
    .describe('hash of the .onnx file'),
  licence: z.string().optional().describe('licence of the weights'),
  input: z
    .strictObject({
      left: z.string().min(1).default('left').describe('name of the tensor of the left picture'),
      right: z.string().min(1).default('right').describe('name of the tensor of the right picture'),
      layout: z.literal('NHWC').default('NHWC').describe('order of the dimensions'),
      dtype: z.literal('uint8').default('uint8').describe('type of the elements'),
      width: z.int().min(8).max(8192).describe('pixels'),
      height: z.int().min(8).max(8192).describe('pixels'),
      channels: z.literal('RGB').default('RGB').describe('order of the colours'),
    })
    .describe('the inputs of the model'),
  output: z
    .strictObject({
      name: z.string().min(1).default('disparity').describe('name of the output tensor'),
      largest: z
        .number()
        .positive()
        .optional()
        .describe(
          'largest disparity that the network can give, pixels of the width of its input; what reaches it is invalid',
        ),
    })
    .describe(
      'the output of the model: disparity of the left picture, pixels of the width of its input',
    ),
  parameters: z.int().optional().describe('number of weights'),
  macs: z.number().optional().describe('multiply-accumulates per pair'),
  training: z.unknown().optional().describe('data and command, informative'),
  metrics: z.unknown().optional().describe('accuracy by data set, informative'),
  card: z.string().optional().describe('what to know before using it'),
});

export type StereoManifest = z.output<typeof stereoManifestSchema>;
export type StereoModelFiles = ModelFiles<StereoManifest>;
export type StereoModel = Model<StereoManifest>;

/**
 * Finds a model for pairs by its name or path, as `findModel` does.
 *
 * @throws DepthlineError `MODEL`
 */
export function findStereoModel(
  nameOrPath: string,
  baseDirectory: string,
): Promise<StereoModelFiles> {
  return findModelOf('stereo', stereoManifestSchema, nameOrPath, baseDirectory);
}
