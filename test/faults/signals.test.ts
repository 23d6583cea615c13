import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Finished,
  imbalances,
  leftBehind,
  projectFolder,
  type Running,
  start,
  summaryOf,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Accepts connections and never answers, as a camera that has hung does. */
let silent: Server;
let port = 0;
beforeAll(async () => {
  silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  port = (silent.address() as { port: number }).port;
});
afterAll(() => silent.close());

const component = (role: 'Operator' | 'Sink', create: string) => `
import { define${role} } from 'depthline';
import { z } from 'zod';
export const mine = define${role}({
  name: 'mine', summary: 'Mine.', accepts: ['image'], emits: 'same',
  options: z.strictObject({}), examples: [{}],
  async create(options, context) { ${create} },
});`;
const announce = (phase: string) => `process.stderr.write('phase: ${phase}\\n');`;
/** Says that a signal has come: two of one kind that arrive together are one. */
const heed = `for (const signal of ${JSON.stringify(signals)})
  process.on(signal, () => { ${announce('signalled')} });`;
const never = 'await new Promise((resolve) => setTimeout(resolve, 2 ** 30));';

const live = 'source:\n  test-pattern: { width: 64, height: 48, fps: 30, realtime: true }\n';
const recording = 'sinks:\n  - video: { path: out.mkv, codec: mjpeg }\n';

interface Phase {
  readonly pipeline: () => string;
  readonly module?: string;
  /** Whether the run is in this phase. */
  reached(running: Running): boolean;
  /** Signals that it takes until the run ends. */
  readonly signals: number;
  readonly code: number | null;
  readonly hasSummary: boolean;
}

const said = (phase: string) => (running: Running) => running.stderr.includes(`phase: ${phase}`);

const phases: Record<string, Phase> = {
  'loading a module': {
    pipeline: () => `use: ./mine.mjs\n${live}${recording}`,
    module: `${announce('loading')} ${never}`,
    reached: said('loading'),
    signals: 1,
    // Nothing is open yet.
    code: null,
    hasSummary: false,
  },
  'loading a module that never returns': {
    pipeline: () => `use: ./mine.mjs\n${live}${recording}`,
    module: `${announce('loading')} for (;;);`,
    reached: said('loading'),
    signals: 1,
    code: null,
    hasSummary: false,
  },
  'opening an operator, with a video open': {
    pipeline: () => `use: ./mine.mjs\n${live}operators: [mine]\n${recording}`,
    module: component('Operator', `${announce('opening')} ${never}`),
    reached: said('opening'),
    signals: 1,
    code: 0,
    hasSummary: false,
  },
  'opening a sink that gives up when it is told to': {
    pipeline: () => `use: ./mine.mjs\n${live}sinks:\n  - mine\n`,
    module: component(
      'Sink',
      `${announce('opening')}
       const timer = setTimeout(() => {}, 2 ** 30);
       context.defer(() => clearTimeout(timer));
       await new Promise((_, reject) => context.signal.addEventListener('abort', reject));`,
    ),
    reached: said('opening'),
    signals: 1,
    code: 0,
    hasSummary: false,
  },
  'waiting for a camera that does not answer': {
    pipeline: () =>
      `use: ./mine.mjs\nsource:\n  rtsp: { url: "rtsp://127.0.0.1:${port}/x" }\noperators: [mine]\n${recording}`,
    // Operators are opened before the source.
    module: component('Operator', `${announce('opened')} return (input) => input;`),
    reached: said('opened'),
    signals: 1,
    code: 0,
    hasSummary: false,
  },
  running: {
    pipeline: () => `${live}${recording}`,
    reached: ({ stdout }) => stdout.includes('"type":"stats"'),
    signals: 1,
    code: 0,
    hasSummary: true,
  },
  draining: {
    pipeline: () => `use: ./mine.mjs\n${live}sinks:\n  - mine\n`,
    module: component(
      'Sink',
      `${heed} return { async write() { ${announce('writing')} ${never} } };`,
    ),
    reached: said('writing'),
    signals: 2,
    code: 130,
    hasSummary: true,
  },
  closing: {
    pipeline: () => `use: ./mine.mjs\n${live}sinks:\n  - mine\n`,
    module: component(
      'Sink',
      `${heed} context.defer(async () => { ${never} });
       return { write() { ${announce('writing')} } };`,
    ),
    reached: said('writing'),
    signals: 3,
    code: null,
    hasSummary: false,
  },
};

describe.concurrent.each(Object.entries(phases))('a run that is %s', (_, phase) => {
  it.concurrent.each(signals)('ends by %s', async (signal) => {
    const files: Record<string, string> = { 'p.yaml': phase.pipeline() };
    if (phase.module !== undefined) files['mine.mjs'] = phase.module;
    const cwd = projectFolder(files);
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(() => phase.reached(running) || ended(running));
    for (let sent = 0; sent < phase.signals; sent++) {
      const heeded = () => running.stderr.split('phase: signalled').length - 1;
      await until(() => heeded() === sent || ended(running));
      running.child.kill(signal);
    }
    expectOrder(await running.finished, phase, signal);
    expect(await leftBehind(running)).toEqual([]);
    const left = readdirSync(cwd).filter((name) => name.includes('.part'));
    expect(left).toEqual([]);
  });
});

function ended({ child }: Running): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function expectOrder(finished: Finished, phase: Phase, signal: string): void {
  expect(finished).toMatchObject({
    code: phase.code,
    signal: phase.code === null ? signal : null,
  });
  expect(finished.stderr).not.toMatch(/^\s+at |terminate called/m);
  if (phase.hasSummary) expect(imbalances(summaryOf(finished))).toEqual([0]);
  else expect(finished.stdout).not.toContain('"type":"summary"');
}

it('SIGUSR2 while a run starts ends nothing', async () => {
  const cwd = projectFolder({
    'p.yaml': `use: ./mine.mjs\n${live}sinks: [discard]\n`,
    'mine.mjs': `${announce('loading')} ${never}`,
  });
  const running = start(['run', 'p.yaml'], { cwd });
  await until(() => running.stderr.includes('phase: loading'));
  running.child.kill('SIGUSR2');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(running.child.exitCode ?? running.child.signalCode).toBeNull();
  running.child.kill('SIGTERM');
  expect((await running.finished).signal).toBe('SIGTERM');
});
