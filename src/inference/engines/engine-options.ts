import { z } from 'zod';
import type { ValueProblem } from '../../core/option-problems.ts';
import { positiveDuration } from '../../core/units.ts';
import { type EngineChoice, type EngineName, engineNames } from './choice.ts';

const device = z.strictObject({ device: z.int().min(0).describe('number of the GPU') }).optional();

const onnxruntimeOptions = z.strictObject({
  binding: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with a build of your own: onnxruntime_binding.node and its libraries; default: $DEPTHLINE_ONNXRUNTIME, else that of the package',
    ),
  cuda: device.describe('of the provider cuda'),
  tensorrt: device.describe('of the provider tensorrt'),
  webgpu: z
    .strictObject({
      layout: z.enum(['NCHW', 'NHWC']).describe('layout in which it runs layers where it matters'),
    })
    .optional()
    .describe('of the provider webgpu'),
});

const processOptions = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('the helper’s program and its arguments; a path is taken from the pipeline file'),
  deadline: positiveDuration()
    .prefault('2s')
    .describe('longest time for one picture; a helper that takes longer is ended and restarted'),
  'start-within': positiveDuration()
    .prefault('30s')
    .describe('longest time without a sign of life while the helper loads the model'),
});

const kserveOptions = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .describe('address of the server, without the path of the protocol: http://127.0.0.1:8000'),
  model: z
    .string()
    .min(1)
    .optional()
    .describe('name of the model on the server; default: the name in the manifest'),
  version: z
    .string()
    .min(1)
    .optional()
    .describe("version of the model on the server; default: the server's choice"),
  deadline: positiveDuration()
    .prefault('2s')
    .describe('longest time for one picture; one that takes longer counts as failed'),
  'start-within': positiveDuration()
    .prefault('10s')
    .describe('longest time until the server has the model'),
  authorization: z
    .string()
    .min(1)
    .optional()
    .describe('Authorization header, such as "Bearer …"; never printed'),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().describe('certificates to trust, PEM file'),
      certificate: z.string().min(1).optional().describe('certificate of this client, PEM file'),
      key: z.string().min(1).optional().describe('key of that certificate, PEM file'),
    })
    .optional()
    .describe('files for https'),
});

/** `engine:` of `estimate-depth`, and an option named after each engine with its settings. */
export const engineOptions = {
  engine: z
    .enum(engineNames)
    .default('onnxruntime')
    .describe(
      'what runs the network: ONNX Runtime in threads of Depthline, a helper process, or an inference server (docs/engines.md)',
    ),
  onnxruntime: onnxruntimeOptions.optional().describe('of engine: onnxruntime'),
  process: processOptions.optional().describe('of engine: process'),
  kserve: kserveOptions.optional().describe('of engine: kserve'),
};

const schema = z.object(engineOptions);
export type EngineOptions = z.output<typeof schema>;

/** The engine as the options say; they must be free of problems. */
export function engineChoice(options: EngineOptions): EngineChoice {
  const { engine, onnxruntime = {}, process, kserve } = options;
  if (engine === 'process' && process) {
    const { command, deadline, 'start-within': startWithinMs } = process;
    return { name: 'process', command, deadlineMs: deadline, startWithinMs };
  }
  if (engine === 'kserve' && kserve) {
    const { deadline, 'start-within': startWithinMs, ...rest } = kserve;
    return { name: 'kserve', ...rest, deadlineMs: deadline, startWithinMs };
  }
  const { binding, ...providers } = onnxruntime;
  return { name: 'onnxruntime', binding, options: providers };
}

/** Engines whose settings must be given. */
const needy = ['process', 'kserve'] as const satisfies EngineName[];

/** Settings of another engine than the one that runs, and missing ones. */
export function engineProblems(options: EngineOptions): ValueProblem[] {
  const { engine } = options;
  const given = engineNames.filter((name) => options[name] !== undefined);
  const others = given.filter((name) => name !== engine);
  return [
    ...others.map((name) => ({
      path: [name],
      message: `is only for engine: ${name}, and the engine is ${engine}; write engine: ${name}, or remove it`,
    })),
    ...(needy.some((name) => name === engine) && !given.some((name) => name === engine)
      ? [{ path: ['engine'], message: `${engine} needs its settings: add ${engine}: { … }` }]
      : []),
  ];
}
