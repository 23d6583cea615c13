import { z } from 'zod';
import type { ValueProblem } from '../../core/option-problems.ts';
import { positiveDuration } from '../../core/units.ts';
import { type EngineChoice, type EngineName, engineNames } from './choice.ts';

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

/** `engine:` of `estimate-depth`, and an option named after each engine with its settings. */
export const engineOptions = {
  engine: z
    .enum(engineNames)
    .default('onnxruntime')
    .describe(
      'what runs the network: ONNX Runtime in threads of Depthline, or a helper process (docs/engines.md)',
    ),
  process: processOptions.optional().describe('of engine: process'),
};

const schema = z.object(engineOptions);
export type EngineOptions = z.output<typeof schema>;

/** The engine as the options say; they must be free of problems. */
export function engineChoice({ engine, process }: EngineOptions): EngineChoice {
  if (engine === 'onnxruntime' || !process) return { name: 'onnxruntime' };
  const { command, deadline, 'start-within': startWithinMs } = process;
  return { name: 'process', command, deadlineMs: deadline, startWithinMs };
}

/** Engines whose settings must be given. */
const needy: readonly EngineName[] = ['process'];

/** Settings of another engine than the one that runs, and missing ones. */
export function engineProblems(options: EngineOptions): ValueProblem[] {
  const { engine } = options;
  const given = (['process'] as const).filter((name) => options[name] !== undefined);
  const others = given.filter((name) => name !== engine);
  return [
    ...others.map((name) => ({
      path: [name],
      message: `is only for engine: ${name}, and the engine is ${engine}; write engine: ${name}, or remove it`,
    })),
    ...(needy.includes(engine) && !given.some((name) => name === engine)
      ? [{ path: ['engine'], message: `${engine} needs its settings: add ${engine}: { … }` }]
      : []),
  ];
}
