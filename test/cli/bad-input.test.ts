import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  imbalances,
  leftBehind,
  projectFolder,
  start,
  summaryOf,
  workplace,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { publisher } from '../support/topic.ts';

/** A pipeline of three frames; parts are replaced by what a case gets wrong. */
function pipeline({
  source = 'test-pattern: { width: 64, height: 48, frames: 3 }',
  operators = '[]',
  sinks = 'discard',
  head = '',
} = {}): string {
  return `${head}\nsource:\n  ${source}\noperators: ${operators}\nsinks:\n  - ${sinks}\n`;
}

interface Expected {
  readonly code: number;
  readonly message: RegExp;
}

async function fails(
  text: string,
  { code, message }: Expected,
  { files = {}, args = [] as readonly string[], command = 'run', lines = 1 } = {},
  folder = workplace(),
) {
  for (const [name, content] of Object.entries({ ...files, 'p.yaml': text })) {
    writeFileSync(join(folder, name), content);
  }
  const json = command === 'run' ? ['--stats', 'json'] : [];
  const running = start([command, 'p.yaml', ...json, ...args], { cwd: folder });
  const finished = await running.finished;
  const said = command === 'check' ? finished.stdout : finished.stderr;
  expect(said).toMatch(message);
  expect(said).not.toMatch(/^\s+at |node:internal/m);
  expect(said.trim().split('\n')).toHaveLength(lines);
  expect(finished.code).toBe(code);
  if (command === 'run' && finished.stdout !== '')
    expect(imbalances(summaryOf(finished)).every((n) => n === 0)).toBe(true);
  expect(await leftBehind(running)).toEqual([]);
  return finished;
}

const config = (message: RegExp): Expected => ({ code: 2, message });
const running = (message: RegExp): Expected => ({ code: 1, message });

describe.concurrent('an invalid pipeline file', () => {
  it.each<[string, string, RegExp]>([
    [
      'unknown key',
      pipeline({ source: 'test-pattern: { widht: 64 }' }),
      /p\.yaml:3:19: .*widht.*did you mean "width"\?/,
    ],
    [
      'wrong type',
      pipeline({ source: 'test-pattern: { width: wide }' }),
      /p\.yaml:3:26: .*width.*number.*"wide"/,
    ],
    [
      'wrong unit',
      pipeline({ sinks: 'discard:\n    queue: { max-age: 3 parsecs }' }),
      /p\.yaml:7:23: max-age: is not a duration: .*100ms/,
    ],
    [
      'unknown component',
      pipeline({ operators: '[estimate-dept]' }),
      /p\.yaml:4:13: .*estimate-dept.*did you mean "estimate-depth"\?/,
    ],
    [
      'frames of the wrong kind',
      pipeline({ operators: '[smooth]' }),
      /p\.yaml:4:13: .*smooth.*depth.*image/,
    ],
    [
      'two sinks of one name',
      pipeline({ sinks: 'discard:\n    name: a\n  - discard:\n    name: a' }),
      /p\.yaml:9:\d+: .*another sink is named "a"/,
    ],
    ['empty file', '', /p\.yaml:1:1: .*empty/],
    ['no YAML', 'source: [', /p\.yaml:\d+:\d+: /],
    [
      'missing variable',
      pipeline({ source: 'video-file: { path: "$' + '{DEPTHLINE_NO_SUCH}" }' }),
      /p\.yaml:3:\d+: .*DEPTHLINE_NO_SUCH.*not set/,
    ],
    ['no sink', 'source: test-pattern\nsinks: []', /p\.yaml:2:\d+: .*at least one sink/],
    [
      'missing module',
      pipeline({ head: 'use: ./none.js' }),
      /p\.yaml:1:\d+: .*no such file: .*none\.js/,
    ],
  ])('%s', async (_, text, message) => {
    await fails(text, config(message), { command: 'check' });
    await fails(text, config(message));
  });

  it('reports all problems at once', async () => {
    const text = pipeline({ source: 'test-pattern: { widht: 1, fps: no }', operators: '[smoth]' });
    await fails(text, config(/widht.*\n.*fps.*\n.*smoth/), { command: 'check', lines: 3 });
  });

  it('that does not exist', async () => {
    const finished = await start(['run', 'none.yaml'], { cwd: workplace() }).finished;
    expect(finished).toMatchObject({ code: 2 });
    expect(finished.stderr).toMatch(/^none\.yaml.*there is no such file/);
  });

  it('--set of an unknown option', async () => {
    const args = ['--set', 'source.test-pattern.widht=3'];
    await fails(pipeline(), config(/widht.*did you mean "width"\?/), { args });
  });
});

describe.concurrent('a missing or broken', () => {
  const here = (name: string) => `images: { path: ${name} }`;
  it.each<[string, string, RegExp]>([
    ['video file', pipeline({ source: 'video-file: { path: none.mkv }' }), /none\.mkv/],
    ['pictures', pipeline({ source: here('nowhere') }), /nowhere/],
    [
      'GStreamer element',
      pipeline({ source: 'gstreamer: { launch: "nosuchsrc ! videoconvert" }' }),
      /nosuchsrc/,
    ],
    ['USB camera', pipeline({ source: 'usb-camera: { device: /dev/video99 }' }), /\/dev\/video99/],
    ['CSI camera', pipeline({ source: 'csi-camera: {}' }), /nvarguscamerasrc/],
    [
      'network camera',
      pipeline({ source: 'rtsp: { url: "rtsp://127.0.0.1:9/x" }' }),
      /127\.0\.0\.1:9/,
    ],
    ['display', pipeline({ sinks: 'display' }), /there is no display.*when-unavailable: skip/],
    [
      'directory that can be made',
      pipeline({ sinks: 'file: { directory: p.yaml/x, format: png }' }),
      /p\.yaml\/x/,
    ],
  ])('%s', async (_, text, message) => {
    await fails(text, running(message));
  });

  it('picture that cannot be decoded', async () => {
    const folder = workplace({ 'a.png': 'no picture' });
    await fails(pipeline({ source: 'images: { path: "*.png" }' }), running(/a\.png/), {}, folder);
  });

  it('model', async () => {
    const operators = '[estimate-depth: { model: fastdept }]';
    const message = /^p\.yaml:\d+:\d+: model: .*"fastdept".*did you mean "fastdepth"\?/;
    await fails(pipeline({ operators }), config(message));
  });

  it('model that does not match its manifest', async () => {
    const folder = workplace();
    mkdirSync(join(folder, 'models'));
    putModel(join(folder, 'models'), 'metres', { input: { width: 64, height: 48 } });
    const text = pipeline({ operators: '[estimate-depth: { model: metres }]' });
    await fails(text, running(/metres\.onnx does not fit its manifest/), {}, folder);
  });

  it('port that is in use', async () => {
    const { socket, endpoint } = await publisher();
    const text = pipeline({ sinks: `zeromq: { bind: "${endpoint}" }` });
    await fails(text, running(/zeromq: .* is in use by another process; stop it or choose/));
    socket.close();
  });

  it.skipIf(!canMount)('room on the disk', async () => {
    const disk = smallDisk();
    try {
      const source = 'test-pattern: { width: 640, height: 480, frames: 3, pattern: snow }';
      const sinks = `file: { directory: "${disk.path}", format: png }`;
      await fails(
        pipeline({ source, sinks }),
        running(/the disk of .* is full; free space or choose another directory/),
      );
    } finally {
      disk.remove();
    }
  });
});

describe.concurrent('a user’s module', () => {
  const operator = (create: string) => `
    import { defineOperator } from 'depthline';
    import { map } from 'rxjs';
    import { z } from 'zod';
    export const mine = defineOperator({
      name: 'mine', summary: 'Mine.', accepts: ['image'], emits: 'same',
      options: z.strictObject({}), examples: [{}],
      create: async () => ${create},
    });`;

  const component = (define: string, more: string) => `
    import { ${define} } from 'depthline';
    import { z } from 'zod';
    export const mine = ${define}({
      name: 'mine', summary: 'Mine.', examples: [{}], create: async () => undefined, ${more},
    });`;

  it.each<[string, string, Expected]>([
    ['throws', `throw new Error('bad luck')`, config(/mine\.js.*bad luck/)],
    ['does not parse', 'export const = 3', config(/mine\.js/)],
    ['exports no component', 'export const mine = 3', config(/mine\.js.*exports/)],
    [
      'never finishes loading',
      'await new Promise(() => {})',
      config(/mine\.js could not be loaded: it never finishes loading/),
    ],
    [
      'has an operator that does not say what it emits',
      component('defineOperator', `accepts: ['image'], options: z.strictObject({})`),
      config(/mine\.js could not be loaded: the operator "mine" needs "emits": a list of image, /),
    ],
    [
      'has a source that emits what is no list',
      component('defineSource', `emits: 'image', options: z.strictObject({})`),
      config(/mine\.js could not be loaded: the source "mine" needs "emits": a list of image, /),
    ],
    [
      'has a sink that accepts an unknown kind',
      component('defineSink', `accepts: ['picture'], options: z.strictObject({})`),
      config(/mine\.js could not be loaded: the sink "mine" needs "accepts": a list of image, /),
    ],
    [
      'has a sink whose options are no schema',
      component('defineSink', `accepts: ['image'], options: { path: 'x' }`),
      config(/mine\.js could not be loaded: the sink "mine" needs "options" made with zod/),
    ],
    ['ends the process', 'process.exit(7)', { code: 7, message: /^/ }],
  ])('that %s', async (_, code, expected) => {
    const folder = projectFolder();
    writeFileSync(join(folder, 'mine.js'), code);
    await fails(
      pipeline({ head: 'use: ./mine.js' }),
      expected,
      { files: { 'mine.js': code } },
      folder,
    );
  });

  it.each<[string, string, RegExp]>([
    ['throws when it is made', `{ throw new Error('bad luck') }`, /mine: bad luck/],
    ['throws on a frame', `map(() => { throw new Error('bad luck') })`, /mine: bad luck/],
    [
      'never finishes creating',
      '{ return new Promise(() => {}); }',
      /mine: "create" never finishes: it has nothing left to wait for/,
    ],
    ['emits what is no frame', 'map(() => 3)', /mine: emitted .*; an operator must emit frames/],
  ])('with an operator that %s', async (_, create, message) => {
    const code = operator(create.startsWith('{') ? `(() => ${create})()` : create);
    const text = pipeline({ head: 'use: ./mine.mjs', operators: '[mine]' });
    await fails(text, running(message), { files: { 'mine.mjs': code } }, projectFolder());
  });

  it.each<[string, string]>([
    ['throws in a timer', `setTimeout(() => { throw new Error('bad luck') })`],
    ['forgets a promise', `Promise.reject(new Error('bad luck'))`],
  ])('that %s', async (_, timer) => {
    const code = operator(`map((frame) => { if (frame.seq > 1) ${timer}; return frame; })`);
    const source = 'test-pattern: { width: 64, height: 48, fps: 30, realtime: true }';
    const text = pipeline({ source, head: 'use: ./mine.mjs', operators: '[mine]' });
    const finished = await fails(
      text,
      running(/^uncaught error: bad luck$/m),
      { files: { 'mine.mjs': code } },
      projectFolder(),
    );
    expect(summaryOf(finished).captured).toBeGreaterThan(0);
  });

  it('with an operator that is still opening when a sink fails', async () => {
    const code = operator(
      '(() => { setInterval(() => {}, 1000); return new Promise(() => {}); })()',
    );
    const sinks = 'file: { directory: /proc/x, format: png }';
    const text = pipeline({ head: 'use: ./mine.mjs', operators: '[mine]', sinks });
    await fails(
      text,
      running(/takes no new folders/),
      { files: { 'mine.mjs': code } },
      projectFolder(),
    );
  });

  it('with a sink that counts frames twice', async () => {
    const code = `
      import { defineSink } from 'depthline';
      import { z } from 'zod';
      export const mine = defineSink({
        name: 'mine', summary: 'Miscounts.', accepts: ['image'], options: z.strictObject({}), examples: [{}],
        create: async (_, context) => ({ write: () => context.dropped(1, 'odd') }),
      });`;
    const text = pipeline({ head: 'use: ./mine.mjs', sinks: 'mine' });
    const cwd = projectFolder({ 'p.yaml': text, 'mine.mjs': code });
    const { code: exit, stdout, stderr } = await start(['run', 'p.yaml'], { cwd }).finished;
    expect(stderr).toMatch(/frames are not accounted for \(mine: 3 frames counted twice\)/);
    expect(stdout).toMatch(/^mine .* off by -3$/m);
    expect(stdout).toMatch(/^ {2}ledger violated at mine: 3 frames counted twice$/m);
    expect(exit).toBe(1);
  });

  it('that exits during a run leaves no child process behind', async () => {
    const code = operator('map((frame) => { if (frame.seq > 1) process.exit(7); return frame; })');
    const folder = projectFolder();
    writeFileSync(join(folder, 'mine.mjs'), code);
    const text = pipeline({
      source: 'test-pattern: { width: 64, height: 48, fps: 30, realtime: true }',
      head: 'use: ./mine.mjs',
      operators: '[mine]',
      sinks: 'video: { path: out.mkv, codec: mjpeg }',
    });
    writeFileSync(join(folder, 'p.yaml'), text);
    const run = start(['run', 'p.yaml'], { cwd: folder });
    expect((await run.finished).code).toBe(7);
    expect(await leftBehind(run)).toEqual([]);
  });

  it('that exits during an inference sets the exit code', async () => {
    const code = operator('map((frame) => { if (frame.seq > 9) process.exit(7); return frame; })');
    const folder = projectFolder();
    writeFileSync(join(folder, 'mine.mjs'), code);
    putModel(folder, 'slow');
    const text = pipeline({
      source: 'test-pattern: { width: 64, height: 48, fps: 30, realtime: true, pattern: white }',
      head: 'use: ./mine.mjs',
      operators: '[mine, estimate-depth: { model: ./slow.onnx }]',
    });
    writeFileSync(join(folder, 'p.yaml'), text);
    const run = start(['run', 'p.yaml'], { cwd: folder });
    const finished = await run.finished;
    expect(finished).toMatchObject({ code: 7, signal: null });
    expect(finished.stderr).not.toMatch(/terminate called/);
    expect(await leftBehind(run)).toEqual([]);
  });

  it('with an operator that never returns is named by the watching thread', async () => {
    const code = operator('map((frame) => { while (frame.seq > 1); return frame; })');
    const folder = projectFolder();
    writeFileSync(join(folder, 'mine.mjs'), code);
    const source = 'test-pattern: { width: 64, height: 48 }';
    const text = pipeline({ source, head: 'use: ./mine.mjs', operators: '[mine]' });
    writeFileSync(join(folder, 'p.yaml'), text);
    const run = start(['run', 'p.yaml'], { cwd: folder });
    await until(() => /main thread has been busy for \d+ s in "mine"/.test(run.stderr));
    run.child.kill('SIGQUIT');
    expect((await run.finished).signal).toBe('SIGQUIT');
    expect(await leftBehind(run)).toEqual([]);
  });
});
