import { z } from 'zod';
import type { ValueProblem } from '../../core/option-problems.ts';
import { positiveDuration } from '../../core/units.ts';
import { type EngineChoice, type EngineName, engineNames } from './choice.ts';
import { addressProblems } from './kserve/address-problems.ts';

const device = z.strictObject({ device: z.int().min(0).describe('number of the GPU') }).optional();

const onnxruntimeOptions = z.strictObject({
  binding: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with a build of your own: onnxruntime_binding.node and its libraries; default: $DEPTHLINE_ONNXRUNTIME, else that of the package',
    ),
  cuda: device.describe('options of the provider cuda'),
  tensorrt: device.describe('options of the provider tensorrt'),
  webgpu: z
    .strictObject({
      layout: z.enum(['NCHW', 'NHWC']).describe('layout in which it runs layers where it matters'),
    })
    .optional()
    .describe('options of the provider webgpu'),
});

const processOptions = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'the helper’s program and its arguments; a path starts from the working directory, a name without a slash is looked up in PATH',
    ),
  deadline: positiveDuration()
    .prefault('2s')
    .describe('longest time for one picture; a helper that takes longer is ended and restarted'),
  'start-within': positiveDuration()
    .prefault('30s')
    .describe('longest time without a sign of life while the helper loads the model'),
});

const kserveOptions = z.strictObject({
  url: z
    .url({
      protocol: /^(?:http|grpc)s?$/,
      error: 'must begin with http://, https://, grpc:// or grpcs://, and name a host',
    })
    .describe(
      'address of the server, without the path of the protocol: http://127.0.0.1:8000, or grpc://127.0.0.1:8001',
    ),
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
    .describe('Authorization header, or metadata of gRPC, such as "Bearer …"; never printed'),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().describe('certificates to trust, PEM file'),
      certificate: z.string().min(1).optional().describe('certificate of this client, PEM file'),
      key: z.string().min(1).optional().describe('key of that certificate, PEM file'),
    })
    .optional()
    .describe('files for https:// and grpcs://'),
});

/** `engine:` of `estimate-depth`, and an option named after each engine with its settings. */
export const engineOptions = {
  engine: z
    .enum(engineNames)
    .default('onnxruntime')
    .describe(
      'what runs the network: ONNX Runtime in threads of Depthline, a helper process, or an inference server (docs/engines.md)',
    ),
  onnxruntime: onnxruntimeOptions.optional().describe('options of engine: onnxruntime'),
  process: processOptions.optional().describe('options of engine: process'),
  kserve: kserveOptions.optional().describe('options of engine: kserve'),
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

/** Options of `estimate-depth` beside those of the engine that not every engine takes. */
interface BesideEngine {
  readonly providers: readonly string[];
  readonly threads?: number | undefined;
  readonly workers?: number | undefined;
}

/** Settings of another engine than the one that runs, missing ones, and such as do not go together. */
export function engineProblems(options: EngineOptions & BesideEngine): ValueProblem[] {
  const { engine, kserve } = options;
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
    ...(kserve ? addressProblems(kserve) : []),
    ...besideProblems(options),
  ];
}

function besideProblems(options: EngineOptions & BesideEngine): ValueProblem[] {
  const { engine, providers, threads, workers, onnxruntime } = options;
  const problems: ValueProblem[] = [];
  const problem = (path: ValueProblem['path'], message: string) => problems.push({ path, message });
  if (engine !== 'onnxruntime' && providers.some((name) => name !== 'cpu')) {
    problem(
      ['providers'],
      `is only for engine: onnxruntime, and the engine is ${engine}; remove it`,
    );
  }
  if (engine === 'kserve' && threads !== undefined) {
    problem(['threads'], 'is set on the server with engine: kserve; remove it');
  }
  if (engine === 'onnxruntime') problems.push(...workersProblems(providers, workers));
  for (const name of optionedProviders) {
    if (onnxruntime?.[name] === undefined || providers.includes(name)) continue;
    const message = `is of the provider ${name}, which is not in "providers"; add it there, or remove this`;
    problem(['onnxruntime', name], message);
  }
  return problems;
}

/** More workers than a provider can have. */
export function workersProblems(providers: readonly string[], workers = 1): ValueProblem[] {
  if (workers === 1 || !providers.includes('webgpu')) return [];
  const message = 'must be 1 with the provider webgpu, where a second session ends the process';
  return [{ path: ['workers'], message }];
}

/** Execution providers that have options. */
const optionedProviders = ['cuda', 'tensorrt', 'webgpu'] as const;
