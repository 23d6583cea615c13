import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunStats } from '../../src/core/run-stats.ts';
import { decodeDepthPng } from '../../src/imaging/decode.ts';
import { bin, leftBehind, projectFolder, reportsOf, startProcess } from '../support/cli.ts';
import { captureHosts, until } from '../support/gstreamer.ts';

/** Depth of a known value with a picture and intrinsics, as a file would give it: every frame waits. */
const module = `
import { defineSource } from 'depthline';
import { Observable } from 'rxjs';
import { z } from 'zod';
export const wall = defineSource({
  name: 'wall', summary: 'A wall.', emits: ['depth'],
  options: z.strictObject({ metres: z.number().default(2), frames: z.int().default(1000000), 'opens-after': z.number().default(0), 'first-after': z.number().default(0), fails: z.boolean().default(false) }),
  examples: [{}],
  async create({ metres, frames, 'opens-after': ms, 'first-after': firstMs, fails }, context) {
    process.stderr.write('phase: opening\\n');
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (fails) throw new Error('the wall is gone');
    return new Observable((subscriber) => {
      const deliver = async () => {
        if (firstMs > 0) await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        for (let seq = 0; seq < frames && !subscriber.closed; seq++) {
          await new Promise((resolve) => setTimeout(resolve, 4));
          await context.gate.opened(context.signal);
          if (subscriber.closed || context.signal.aborted) break;
          const size = { width: 4, height: 3 };
          const base = { seq, pts: BigInt(seq) * 5000000n, capturedAt: context.clock.wall(), source: 'wall' };
          subscriber.next({ ...base, ...size, kind: 'depth', data: new Float32Array(12).fill(metres),
            intrinsics: { fx: 4, fy: 4, cx: 1.5, cy: 1 },
            image: { ...base, ...size, kind: 'image', format: 'rgb', data: new Uint8Array(36).fill(90) } });
        }
        subscriber.complete();
      };
      void deliver();
      context.signal.addEventListener('abort', () => subscriber.complete(), { once: true });
    });
  },
});
`;

interface Options {
  metres?: number;
  max?: number;
  limit?: number;
  more?: string;
  source?: string;
}

const wall = ({ metres = 2, max = 9, limit = 8, more = '', source = '' }: Options = {}) => `
use: ./wall.mjs
source:
  wall: { metres: ${metres}${source} }
operators:
  - clamp: { max: ${max} }
sinks:
  - file: { directory: out, format: npy }
    queue: { limit: ${limit}, when-full: block }
${more}`;

async function served(
  text: string,
  { args = [] as readonly string[], env = {}, answers = true, command = '' } = {},
) {
  const cwd = projectFolder({ 'wall.mjs': module, 'p.yaml': text });
  mkdirSync(join(cwd, 'shots'));
  const all = ['run', 'p.yaml', '--serve', '127.0.0.1:0', '--stats', 'json', ...args];
  const run =
    command === ''
      ? startProcess(bin, all, { cwd, env })
      : startProcess(command, [bin, ...all], { cwd, env });
  const address = () => /metrics and health at (http:\S+)/.exec(run.stderr)?.[1];
  await until(() => address() !== undefined || run.child.exitCode !== null);
  const post = async (path: string, headers: Record<string, string> = {}) => {
    const url = new URL(path, address());
    const answer = await fetch(url, { method: 'POST', headers });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const json = () => JSON.parse(text) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, bytes, text, json };
  };
  const ready = async () => (await fetch(new URL('/readyz', address()))).status;
  const write = (changed: string) => writeFileSync(join(cwd, 'p.yaml'), changed);
  const files = () =>
    existsSync(join(cwd, 'out'))
      ? readdirSync(join(cwd, 'out')).filter((one) => one.endsWith('.npy'))
      : [];
  if (answers) await until(() => files().length > 2);
  /** The summaries of all runs, each balanced. */
  const end = async () => {
    run.child.kill('SIGTERM');
    const { code, stdout, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    const summaries = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'summary');
    for (const { branches, violations } of summaries) {
      expect(violations).toEqual([]);
      for (const { captured, added, delivered, dropped, failed } of branches) {
        const lost = dropped.reduce((sum: number, one: { count: number }) => sum + one.count, 0);
        expect(captured + added - delivered - lost - failed).toBe(0);
      }
    }
    expect(await leftBehind(run)).toEqual([]);
    return summaries;
  };
  return { cwd, run, post, ready, write, files, end };
}

const seqs = (cwd: string) =>
  readFileSync(join(cwd, 'out/index.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[0]));
const first = (path: string) => {
  const { buffer, byteOffset } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset + 128, byteOffset + 132))[0];
};

describe.concurrent('POST /reload', () => {
  it('changes live options without a gap in seq', async () => {
    const { cwd, post, write, files, end } = await served(wall());
    write(wall({ max: 1, limit: 3 }));
    const answer = await post('/reload');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toEqual({
      result: 'changed',
      changed: ['operators[0] clamp: max: 9 → 1', 'sinks[0] file: queue.limit: 8 → 3'],
    });
    const before = files().length;
    await until(() => files().length > before + 5);
    expect((await post('/reload')).json()).toEqual({ result: 'unchanged' });
    expect(await end()).toHaveLength(1);
    const written = seqs(cwd);
    expect(written).toEqual(written.map((_, index) => index));
    const names = files().toSorted();
    // Beyond the new range depth is invalid.
    expect([names[0], names.at(-1)].map((name) => first(join(cwd, 'out', name as string)))).toEqual(
      [2, 0],
    );
  });

  it('says what needs a restart, and restarts if asked: drained, one process, balanced', async () => {
    const { post, write, files, run, end } = await served(wall());
    write(wall({ metres: 3, max: 1 }));
    const answer = await post('/reload');
    expect(answer.status).toBe(409);
    expect(answer.json()).toEqual({
      result: 'needs-restart',
      restart: ['source wall: metres: 2 → 3'],
      changed: ['operators[0] clamp: max: 9 → 1'],
    });
    expect(run.stderr).toContain('needs a restart');
    expect((await post('/reload?restart=1')).json()).toMatchObject({ result: 'restarted' });
    const before = files().length;
    await until(() => files().length > before + 5);
    const summaries = await end();
    expect(summaries).toHaveLength(2);
    expect(summaries[0].branches[0].delivered).toBe(summaries[0].captured);
  });

  it('changes nothing when the file has mistakes or is gone, and says where', async () => {
    const { cwd, post, write, files, run, end } = await served(wall());
    const wrong = [
      [wall({ more: '  - discrd' }), '10:5', 'unknown sink "discrd"; did you mean "discard"?'],
      ['source: [', '1:10', ''],
      [wall({ max: -1 }), '6:5', 'clamp: min (0) must be less than max (-1)'],
    ] as const;
    for (const [text, place, message] of wrong) {
      write(text);
      for (const path of ['/reload', '/reload?restart=1']) {
        const answer = await post(path);
        expect([answer.status, answer.json().result]).toEqual([422, 'invalid']);
        const [problem] = answer.json().problems as Record<string, unknown>[];
        expect(`${problem?.line}:${problem?.column}`).toBe(place);
        expect(problem?.message).toContain(message);
      }
      expect(run.stderr).toContain(`p.yaml:${place}: `);
    }
    rmSync(join(cwd, 'p.yaml'));
    expect(await post('/reload?restart=1')).toMatchObject({
      status: 422,
      text: expect.stringContaining('there is no such file'),
    });
    const before = files().length;
    await until(() => files().length > before + 2);
    expect(await end()).toHaveLength(1);
  });

  it('goes back to the pipeline before if the new one does not start', async () => {
    const { post, write, files, run, end } = await served(wall());
    write(wall({ source: ', fails: true' }));
    const answer = await post('/reload?restart=1');
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json()).toEqual({ result: 'reverted', why: 'source wall: the wall is gone' });
    expect(run.stderr).toContain('the pipeline before runs again');
    const before = files().length;
    await until(() => files().length > before + 2);
    await end();
  });

  it('says what only another start of the command takes up', async () => {
    const { cwd, post, write, end } = await served(wall());
    writeFileSync(join(cwd, 'wall.mjs'), `${module}\n// changed\n`);
    write(`serve: { port: 9 }\n${wall()}`);
    expect((await post('/reload')).json()).toEqual({
      result: 'unchanged',
      later: [
        `use: the code of ${join(cwd, 'wall.mjs')} has changed; it is loaded when the command is started again`,
        'serve: its changes take effect when the command is started again',
      ],
    });
    await end();
  });

  it('follows one request at a time', async () => {
    const { post, write, end } = await served(wall());
    write(wall({ metres: 3 }));
    const answers = await Promise.all(Array.from({ length: 6 }, () => post('/reload?restart=1')));
    const results = answers.map(({ json }) => json().result);
    expect(results.filter((one) => one === 'restarted')).toHaveLength(1);
    expect(results.filter((one) => one === 'refused' || one === 'unchanged')).toHaveLength(5);
    expect(await end()).toHaveLength(2);
  });

  it('works while the source is reconnecting, and a stop ends a restart', async () => {
    const text = (path: string, method: string) => `
source:
  rtsp: { url: "rtsp://127.0.0.1:9/${path}", wait-for-source: true }
operators:
  - sample: { every: ${method} }
sinks:
  - discard
`;
    const { run, post, write, end } = await served(text('one', '2'), { answers: false });
    await until(() => run.stdout.includes('"state":"reconnecting"'));
    write(text('one', '3'));
    expect((await post('/reload')).json()).toMatchObject({ result: 'changed' });
    expect((await post('/pause')).json()).toEqual({ paused: true });
    expect((await post('/resume')).json()).toEqual({ paused: false });
    write(text('two', '3'));
    expect((await post('/reload?restart=1')).json()).toMatchObject({ result: 'restarted' });
    write(text('three', '3'));
    const answer = post('/reload?restart=1').catch(() => undefined);
    await end();
    await answer;
  });

  it('is refused while components open, and when the run is about to end', async () => {
    const { post, run, end } = await served(wall({ source: ', opens-after: 600000' }), {
      answers: false,
    });
    await until(() => run.stderr.includes('phase: opening'));
    const early = await post('/reload');
    expect([early.status, early.json()]).toEqual([
      409,
      { result: 'refused', why: 'components are opening' },
    ]);
    for (const path of ['/pause', '/resume', '/snapshot'])
      expect((await post(path)).status).toBe(503);
    await end().catch(() => {});
  });
});

describe.concurrent('SIGHUP', () => {
  it('reads the file again, and says what it did', async () => {
    const { cwd, run, write, files, end } = await served(wall());
    write(wall({ max: 1 }));
    run.child.kill('SIGHUP');
    await until(() => run.stderr.includes('clamp: max: 9 → 1'));
    write('source: [');
    run.child.kill('SIGHUP');
    await until(() => run.stderr.includes('the file has mistakes; nothing has changed'));
    const before = files().length;
    await until(() => files().length > before + 5);
    await end();
    const written = seqs(cwd);
    expect(written).toEqual(written.map((_, index) => index));
  });

  it('reads the file again under nohup, too', async () => {
    const { run, write, end } = await served(wall(), { command: 'nohup' });
    write(wall({ max: 1 }));
    run.child.kill('SIGHUP');
    await until(() => run.stderr.includes('clamp: max: 9 → 1'));
    await end();
  });

  it('is not lost while the run starts, and ends nothing', async () => {
    const { run, write, end } = await served(wall({ source: ', opens-after: 1000' }), {
      answers: false,
    });
    await until(() => run.stderr.includes('phase: opening'));
    write(wall({ max: 1, source: ', opens-after: 1000' }));
    run.child.kill('SIGHUP');
    await until(() => run.stderr.includes('clamp: max: 9 → 1'));
    await end();
  });

  it('ends nothing before the file has been read', async () => {
    const cwd = projectFolder({
      'p.yaml': wall(),
      'wall.mjs': `process.stderr.write('phase: loading\\n'); await new Promise((resolve) => setTimeout(resolve, 700)); ${module}`,
    });
    const run = startProcess(bin, ['run', 'p.yaml', '--serve', '127.0.0.1:0', '--frames', '5'], {
      cwd,
    });
    await until(() => run.stderr.includes('phase: loading'));
    run.child.kill('SIGHUP');
    const { code, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
  });
});

describe.concurrent('POST /pause and /resume', () => {
  it('hold the source, whatever the silence, and are no failure', async () => {
    const text = `
source:
  test-pattern:
    width: 64
    height: 48
    fps: 30
    realtime: true
    restart: { stalled-after: 3s, limit: 0 }
sinks:
  - file: { directory: out, format: npy }
    queue: { limit: 1, when-full: drop-oldest }
`;
    const { run, post, ready, files, end, cwd } = await served(text);
    expect((await post('/pause')).json()).toEqual({ paused: true });
    await until(() => {
      const last = reportsOf(run).at(-1) as unknown as RunStats | undefined;
      return last?.heldBy[0] === 'resume' && last.branches[0]?.inFlight === 0;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = files().length;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(files()).toHaveLength(before);
    expect(await ready()).toBe(200);
    expect((await post('/resume')).json()).toEqual({ paused: false });
    await until(() => files().length > before + 5);
    const [last] = await end();
    expect(last.restarts).toEqual([]);
    // Frames of the pause are lost, as with every camera that is not read, and counted.
    const written = seqs(cwd);
    expect(
      Math.max(...written.slice(1).map((seq, i) => seq - (written[i] as number))),
    ).toBeGreaterThan(30);
  });

  it('survive a reload, a restart and a dead capture process', async () => {
    const text = (fps: number) => `
source:
  test-pattern: { width: 64, height: 48, fps: ${fps}, realtime: true }
sinks:
  - file: { directory: out, format: npy }
    queue: { limit: 1, when-full: drop-oldest }
`;
    const { run, post, write, files, end } = await served(text(30));
    await post('/pause');
    write(text(30).replace('limit: 1', 'limit: 2'));
    expect((await post('/reload')).json()).toMatchObject({ result: 'changed' });
    write(text(15));
    expect((await post('/reload?restart=1')).json()).toMatchObject({ result: 'restarted' });
    await until(() => captureHosts(run.child.pid).length === 1);
    for (const pid of captureHosts(run.child.pid)) process.kill(pid, 'SIGKILL');
    await until(() => captureHosts(run.child.pid).length === 1);
    const before = files().length;
    await post('/resume');
    await until(() => files().length > before + 3);
    expect(await end()).toHaveLength(2);
  });

  it('do not keep a run from ending', async () => {
    const { post, end } = await served(wall());
    await post('/pause');
    expect(await end()).toHaveLength(1);
  });
});

describe.concurrent('POST /snapshot', () => {
  it('answers with picture, depth or points', async () => {
    const { cwd, post, end } = await served(wall());
    const picture = await post('/snapshot');
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(picture.headers.get('content-disposition')).toMatch(
      /^attachment; filename="\d+-picture.png"$/,
    );
    const depth = await post('/snapshot?part=depth');
    writeFileSync(join(cwd, 'depth.png'), depth.bytes);
    expect(await decodeDepthPng(join(cwd, 'depth.png'))).toMatchObject({ width: 4, height: 3 });
    expect((await decodeDepthPng(join(cwd, 'depth.png'))).data[5]).toBe(2);
    expect(Number(depth.headers.get('depthline-seq'))).toBeGreaterThan(0);
    expect(Number(depth.headers.get('depthline-age-ms'))).toBeLessThan(60_000);
    const points = await post('/snapshot?part=points&branch=file');
    expect(points.text).toContain('element vertex 12');
    await end();
  });

  it('writes new files to the directory, never over others', async () => {
    const { cwd, post, end } = await served(wall(), { args: ['--snapshots', 'shots'] });
    await post('/pause');
    const names: string[] = [];
    for (let n = 0; n < 4; n++) {
      const { files } = (await post('/snapshot?to=directory')).json() as { files: string[] };
      expect(files).toHaveLength(3);
      names.push(...files);
    }
    expect(new Set(names).size).toBe(12);
    expect(readdirSync(join(cwd, 'shots')).toSorted()).toEqual(names.toSorted());
    rmSync(join(cwd, 'shots'), { recursive: true });
    expect((await post('/snapshot?to=directory')).status).toBe(507);
    await end();
  });

  it('refuses what it does not know', async () => {
    const { post, end } = await served(wall());
    const refusals = [
      ['?part=colour', 400, 'part must be one of picture, depth, points'],
      ['?to=/etc', 400, 'to must be response or directory'],
      ['?to=directory', 409, 'there is no directory: start the run with --snapshots DIRECTORY'],
      ['?branch=web', 404, 'there is no branch "web"; there are: file'],
      ['?format=png', 400, 'unknown parameter "format"; valid: part, branch, to, camera'],
    ] as const;
    for (const [query, status, error] of refusals) {
      const answer = await post(`/snapshot${query}`);
      expect([answer.status, answer.json()]).toEqual([status, { error }]);
    }
    await end();
  });

  it('says that no frame has come', async () => {
    const text = wall({ source: ', first-after: 60000' });
    const { post, run, end } = await served(text, { answers: false });
    await until(() => run.stdout.includes('"type":"stats"'));
    const answer = await post('/snapshot');
    expect([answer.status, answer.json()]).toEqual([409, { error: 'no frame has come yet' }]);
    await end();
  });

  it('gets a frame even while nobody watches and nothing is captured', async () => {
    const text = wall().replace(/ {2}- file.*/s, '  - web: { port: 0 }\n');
    const { post, run, end } = await served(text, { answers: false });
    await until(() => run.stdout.includes('"heldBy":["a subscriber"]'));
    expect((await post('/snapshot?part=depth')).status).toBe(200);
    await post('/pause');
    const [last] = await end();
    expect(last.captured).toBeLessThan(3);
  });
});

describe.concurrent('who may command', () => {
  it('is refused without the token, and from a page of another site', async () => {
    const { post, run, end } = await served(wall(), {
      env: { DEPTHLINE_SERVE_TOKEN: 'correct-horse' },
    });
    const paths = ['/reload', '/pause', '/resume', '/snapshot'];
    const good = { Authorization: 'Bearer correct-horse' };
    for (const path of paths) {
      expect((await post(path)).status).toBe(401);
      expect((await post(path, { Authorization: 'Bearer wrong-horses' })).status).toBe(401);
      expect((await post(path, { ...good, Origin: 'http://elsewhere.example' })).status).toBe(403);
      expect((await post(path, { ...good, Origin: 'null' })).status).toBe(403);
    }
    expect(run.stdout).not.toContain('"heldBy":["resume"]');
    expect((await post('/pause', good)).status).toBe(200);
    expect((await post('/snapshot?part=depth', good)).status).toBe(200);
    await end();
  });
});
