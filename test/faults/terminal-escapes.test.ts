import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { depthline, type Finished, projectFolder } from '../support/cli.ts';
import { putModel } from '../support/models.ts';

/** Sets the title, clears the screen, overwrites the line, reverses the direction of text. */
const hostile = '\x1b]0;title\x07\x1b[2J\x1b[H\x9b31m\rok\x08\x7f\u202etxt.exe';

/** No control characters but newline and tab. */
function expectHarmless({ stdout, stderr, signal }: Finished): void {
  expect(signal).toBeNull();
  expect(stdout + stderr).not.toBe('');
  expect(stdout + stderr).not.toMatch(/[^\n\t\P{C}]/u);
}

const source = 'test-pattern: { width: 64, height: 48, frames: 2 }';
const file = (parts: object) => stringify({ source: 'test-pattern', sinks: ['discard'], ...parts });

/** Sources of foreign strings, and commands that print them. */
const origins: Record<string, (text: string) => Promise<Finished[]>> = {
  async 'the name of a pipeline file'(text) {
    const name = `${text}.yaml`;
    const cwd = projectFolder({ [name]: `source:\n  ${source}\nsinks: [discard]\n` });
    return Promise.all([
      depthline(['check', name], { cwd }),
      depthline(['run', name], { cwd }),
      depthline(['plan', name], { cwd }),
      depthline(['plan', '--json', name], { cwd }),
    ]);
  },
  async 'a name on the command line'(text) {
    return Promise.all([
      depthline(['run', `none${text}`]),
      depthline(['run', 'demo', '--set', `source.${text}=1`]),
      depthline(['run', 'demo', '--frames', text]),
      depthline([`--${text}`]),
      depthline(['describe', text]),
      depthline(['subscribe', text]),
    ]);
  },
  async 'values in a pipeline file'(text) {
    const cwd = projectFolder({
      'a.yaml': file({ source: { 'test-pattern': { [text]: 1, width: text } } }),
      'b.yaml': file({ operators: [text], sinks: [{ file: { directory: '${X}', format: text } }] }),
    });
    return Promise.all([
      depthline(['check', 'a.yaml', 'b.yaml'], { cwd, env: { X: text } }),
      depthline(['check', '--json', 'a.yaml'], { cwd }),
      depthline(['run', 'a.yaml'], { cwd, env: { DEPTHLINE_DEBUG: '1' } }),
    ]);
  },
  async 'the description of a named pipeline'(text) {
    const cwd = projectFolder();
    mkdirSync(join(cwd, 'pipelines'));
    writeFileSync(join(cwd, 'pipelines', `a${text}.yaml`), file({ description: text }));
    return Promise.all([depthline(['list'], { cwd }), depthline(['list', '--json'], { cwd })]);
  },
  async 'the name of a picture'(text) {
    const cwd = projectFolder({ [`${text}.png`]: 'no picture' });
    writeFileSync(join(cwd, 'p.yaml'), file({ source: { images: { path: '*.png' } } }));
    return [await depthline(['run', 'p.yaml'], { cwd })];
  },
  async 'the name of a model'(text) {
    const cwd = projectFolder();
    mkdirSync(join(cwd, 'models'));
    putModel(join(cwd, 'models'), 'metres', { name: text });
    writeFileSync(
      join(cwd, 'p.yaml'),
      file({
        source: { 'test-pattern': { width: 64, height: 48, frames: 2 } },
        operators: [{ 'estimate-depth': { model: 'metres' } }],
      }),
    );
    return Promise.all([
      depthline(['plan', 'p.yaml'], { cwd }),
      depthline(['run', 'p.yaml'], { cwd }),
      depthline(['doctor'], { cwd }),
    ]);
  },
  async 'a component of the user’s'(text) {
    const quoted = JSON.stringify(text);
    const module = `
      import { defineSink } from 'depthline';
      import { z } from 'zod';
      export const mine = defineSink({
        name: 'mine', summary: ${quoted}, accepts: ['image'],
        options: z.strictObject({ [${quoted}]: z.string().default(${quoted}).describe(${quoted}) }),
        examples: [{}],
        async create(options, context) {
          context.log.warn(${quoted});
          context.summary(() => ({ [${quoted}]: ${quoted} }));
          return { write(frame) { if (frame.seq > 0) throw new Error(${quoted}); } };
        },
      });`;
    const cwd = projectFolder({
      'mine.mjs': module,
      'p.yaml': file({ use: './mine.mjs', sinks: ['mine'] }),
      'broken.mjs': `throw new Error(${quoted});`,
      'q.yaml': file({ use: './broken.mjs' }),
    });
    return Promise.all([
      depthline(['run', 'p.yaml'], { cwd }),
      depthline(['run', 'q.yaml'], { cwd }),
      depthline(['list', '--use', './mine.mjs'], { cwd }),
      depthline(['describe', 'mine', '--use', './mine.mjs'], { cwd }),
      depthline(['describe', 'mine', '--json', '--use', './mine.mjs'], { cwd }),
    ]);
  },
  async 'the answer of a network camera'(text) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const sequence = /CSeq: *(\d+)/i.exec(String(data))?.[1] ?? '1';
        socket.write(`RTSP/1.0 404 ${text}\r\nCSeq: ${sequence}\r\nServer: ${text}\r\n\r\n`);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const url = `rtsp://127.0.0.1:${port}/x`;
    const cwd = projectFolder({ 'p.yaml': file({ source: { rtsp: { url } } }) });
    const finished = await depthline(['run', 'p.yaml', '--duration', '5'], { cwd });
    server.close();
    return [finished];
  },
};

describe('a terminal', () => {
  it.each(Object.entries(origins))('is not steered by %s', async (_, show) => {
    for (const finished of await show(hostile)) expectHarmless(finished);
  });
});
