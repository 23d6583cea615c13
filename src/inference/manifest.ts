import { z } from 'zod';
import { interval } from '../core/interval.ts';

const finite = z.number();
const perChannel = z.tuple([finite, finite, finite]);

const inputSchema = z
  .strictObject({
    name: z.string().min(1).describe('name of the input tensor'),
    layout: z.enum(['NHWC', 'NCHW']).describe('order of the dimensions'),
    dtype: z.enum(['uint8', 'float32', 'float16']).describe('type of the elements'),
    width: z.int().min(1).max(8192).describe('pixels'),
    height: z.int().min(1).max(8192).describe('pixels'),
    channels: z.enum(['RGB', 'BGR']).default('RGB').describe('order of the colours'),
    range: interval(finite).optional().describe('float: what 0 and 255 become; default [0, 1]'),
    mean: perChannel.optional().describe('float: subtracted after range, in the order of channels'),
    std: perChannel
      .refine((values) => !values.includes(0), { error: 'must not be 0' })
      .optional()
      .describe('float: divided by after mean, in the order of channels'),
    view: z
      .string()
      .regex(/^(any|[1-9]\d*(\.\d+)?:[1-9]\d*(\.\d+)?)$/, {
        error: 'must be "any" or a ratio such as "4:3"',
      })
      .default('any')
      .describe('aspect of the view that is scaled to width × height: "4:3", or "any"'),
  })
  .superRefine((input, context) => {
    if (input.dtype !== 'uint8') return;
    for (const key of ['range', 'mean', 'std'] as const) {
      if (input[key] === undefined) continue;
      const message = `is for float32 and float16; a ${input.dtype} input gets the bytes of the picture`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
  });

const outputSchema = z
  .strictObject({
    name: z.string().min(1).describe('name of the output tensor'),
    meaning: z
      .enum(['metres', 'inverse-relative', 'log', 'disparity'])
      .describe('what its values are; log is the natural logarithm of metres'),
    range: interval(finite)
      .optional()
      .describe('metres; depth outside it becomes invalid. Default: all above 0'),
    scale: finite
      .positive()
      .optional()
      .describe(
        'calibration ("depthline calibrate" writes it). metres, log: metres are multiplied by it; inverse-relative: metres = 1 / (scale·x + shift); disparity: metres = scale / (x + shift), baseline × focal length. Without it, inverse-relative and disparity give relative depth',
      ),
    shift: finite
      .optional()
      .describe(
        'metres, log: added after scale; inverse-relative, disparity: see scale; default 0',
      ),
  })
  .superRefine(({ meaning, scale, shift, range }, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (meaning === 'metres' || meaning === 'log' || scale !== undefined) return;
    if (shift !== undefined) issue('scale', 'is missing: calibration needs scale and shift');
    if (range !== undefined) issue('range', `is in metres, and ${meaning} without scale is not`);
  });

/** The content of `models/NAME.yaml`. */
export const manifestSchema = z.strictObject({
  name: z.string().min(1).describe('name of the model'),
  file: z.string().min(1).describe('the .onnx file, beside the manifest'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
    .optional()
    .describe('hash of the .onnx file'),
  licence: z.string().optional().describe('licence of the weights'),
  input: inputSchema.describe('the input of the model'),
  output: outputSchema.describe('the output of the model'),
  parameters: z.int().optional().describe('number of weights'),
  macs: z.number().optional().describe('multiply-accumulates per frame'),
  training: z.unknown().optional().describe('data and command, informative'),
  metrics: z.unknown().optional().describe('accuracy by data set, informative'),
  card: z.string().optional().describe('what to know before using it'),
});

export type Manifest = z.output<typeof manifestSchema>;
