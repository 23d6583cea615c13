import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageFrame } from '../../src/testing/sample-frames.ts';
import {
  bin,
  depthline,
  imbalances,
  leftBehind,
  projectFolder,
  start,
  summaryOf,
  workplace,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { framesIn, playFrames, recordFrames, streamMcap } from '../support/mcap.ts';
import { writePicture } from '../support/pictures.ts';

const camera = `
source:
  test-pattern: { width: 64, height: 48, fps: 100, realtime: true, pattern: ball }
sinks:
  - discard
`;
const other = `
description: written for a camera that is not here
source:
  usb-camera: { device: "\${NO_SUCH_VARIABLE}" }
operators:
  - estimate-depth
  - smooth: { method: ema }
sinks:
  - file: { directory: out, format: npy }
tests:
  - source: { frames: 10, fps: 30 }
    takes: { estimate-depth: 10ms }
    expect: { captured: 10 }
`;

function depthBytes(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.npy'))
    .toSorted()
    .map((name) =>
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    );
}

/** seq and pts of the frames that were written. */
function numbers(folder: string): string[] {
  const [, ...rows] = readFileSync(join(folder, 'index.csv'), 'utf8').trim().split('\n');
  return rows.map((row) => row.split(',').slice(0, 2).join(','));
}

describe('run --record and replay', () => {
  it('two replays of a recorded run give the same depth, seq and pts', async () => {
    const cwd = workplace({ 'camera.yaml': camera, 'other.yaml': other });
    const run = summaryOf(
      await depthline(
        ['run', 'camera.yaml', '--record', 'run.mcap', '--frames', '25', '--stats', 'json'],
        { cwd },
      ),
    );
    expect(imbalances(run)).toEqual([0, 0]);
    const recorded = await playFrames({ path: join(cwd, 'run.mcap') });
    expect(recorded.length).toBe(run.branches[1]?.delivered);
    const folders = [];
    for (const out of ['one', 'two']) {
      const args = ['replay', 'run.mcap', '--pipeline', 'other.yaml', '--stats', 'json'];
      const set = ['--set', `sinks.file.directory=${out}`];
      const replay = await depthline([...args, ...set], { cwd });
      expect(replay.stderr).not.toMatch(/warning|NO_SUCH_VARIABLE/);
      const summary = summaryOf(replay);
      expect(imbalances(summary)).toEqual([0]);
      // The same frames, and the same that were lost.
      expect(summary.captured).toBe(run.captured);
      const drops = (account: (typeof run.branches)[number] | undefined, stage: string) =>
        account?.dropped
          .filter((drop) => drop.stage === stage)
          .map(({ reason, count }) => [reason, count]);
      expect(drops(summary.branches[0], 'mcap')).toEqual(drops(run.branches[1], 'test-pattern'));
      folders.push(join(cwd, out));
    }
    const [one = '', two = ''] = folders;
    expect(depthBytes(one)).toHaveLength(recorded.length);
    expect(depthBytes(one)).toEqual(depthBytes(two));
    expect(numbers(one)).toEqual(recorded.map(({ seq, pts }) => `${seq},${pts}`));
    expect(numbers(one)).toEqual(numbers(two));
  });

  it('a frame that an operator dies of is in the recording', async () => {
    const cwd = projectFolder({
      'bug.mjs': `
        import { map } from 'rxjs';
        import { z } from 'zod';
        export const bug = {
          role: 'operator', name: 'bug', summary: 'Dies of the fourth frame.', accepts: ['image'],
          emits: 'same', options: z.strictObject({}), examples: [{}],
          create: async () => map((frame) => {
            if (frame.seq === 3) throw new Error('the bug');
            return frame;
          }),
        };`,
      'bug.yaml': `
use: ./bug.mjs
source:
  images: { path: ., loop: true }
operators:
  - bug
sinks:
  - discard
`,
    });
    await writePicture(join(cwd, 'a.png'), 16, 12, 1);
    const { code, stderr } = await depthline(['run', 'bug.yaml', '--record', 'bug.mcap'], { cwd });
    expect(stderr).toMatch(/the bug/);
    expect(code).toBe(1);
    expect((await playFrames({ path: join(cwd, 'bug.mcap') })).at(-1)?.seq).toBe(3);
  });

  it('steps by lines on standard input, and ends with it', async () => {
    const cwd = workplace({ 'camera.yaml': camera });
    const frames = [0, 1, 2, 3].map((seq) => imageFrame(16, 12, seq));
    await recordFrames(join(cwd, 'run.mcap'), frames);
    const args = ['replay', 'run.mcap', '--pipeline', 'camera.yaml', '--step', '--stats', 'json'];
    const stdout = execFileSync(bin, args, {
      cwd,
      input: '\n\n',
      encoding: 'utf8',
      timeout: 100_000,
    });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ captured: 2 });
  });

  it.each([
    [['replay', 'run.mcap'], "required option '--pipeline <name-or-file>'"],
    [
      ['replay', 'run.mcap', '--pipeline', 'camera.yaml', '--from', '5'],
      '--from 5: is not a duration: write a number and a unit',
    ],
    [
      ['replay', 'run.mcap', '--pipeline', 'camera.yaml', '--from', '5s', '--to', '1s'],
      '--to 1s: must be later than "from"',
    ],
    [
      ['replay', 'run.mcap', '--pipeline', 'camera.yaml', '--speed', '1e12'],
      '--speed 1000000000000: must be at most 100',
    ],
    [
      ['replay', 'run.mcap', '--pipeline', 'camera.yaml', '--record', 'run.mcap'],
      'is read by source mcap',
    ],
    [['run', 'camera.yaml', '--record', 'run.mkv'], '--record run.mkv: must end in .mcap'],
  ])('%j is refused in one line', async (args, message) => {
    const cwd = workplace({ 'camera.yaml': camera });
    await recordFrames(join(cwd, 'run.mcap'), [imageFrame()]);
    const before = readFileSync(join(cwd, 'run.mcap'));
    const { code, stderr } = await depthline(args, { cwd });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(readFileSync(join(cwd, 'run.mcap'))).toEqual(before);
  });
});

describe('recover', () => {
  it('kill -9 leaves a file that a streaming reader reads to its last chunk, and recover makes it whole', async () => {
    const cwd = workplace({ 'camera.yaml': camera });
    const running = start(['run', 'camera.yaml', '--record', 'run.mcap'], { cwd });
    const unfinished = join(cwd, 'run.recording.mcap');
    await until(() => existsSync(unfinished) && readFileSync(unfinished).length > 200_000);
    running.child.kill('SIGKILL');
    await running.finished;
    expect(await leftBehind(running)).toEqual([]);
    const before = readFileSync(unfinished);
    const { topics } = await streamMcap(unfinished);
    const frames = topics.get('/camera/depthline/frame') ?? 0;
    expect(frames).toBeGreaterThan(10);
    const recovered = await depthline(['recover', 'run.recording.mcap'], { cwd });
    expect(recovered.stdout).toMatch(
      /^\d+ messages of run\.recording\.mcap are in run\.recovered\.mcap/,
    );
    expect(recovered.code).toBe(0);
    expect(await framesIn(join(cwd, 'run.recovered.mcap'))).toBe(frames);
    const played = await playFrames({ path: join(cwd, 'run.recovered.mcap') });
    expect(played).toHaveLength(frames);
    // Neither the broken file nor the recovered one is replaced.
    expect(readFileSync(unfinished)).toEqual(before);
    const again = await depthline(['recover', 'run.recording.mcap'], { cwd });
    expect(again.stdout).toMatch(/are in run\.recovered-2\.mcap/);
    const whole = await depthline(['recover', 'run.recovered.mcap'], { cwd });
    expect(whole.stdout).toMatch(/is whole; there is nothing to recover/);
    // The next run says so, and takes another name.
    const next = await depthline(['run', 'camera.yaml', '--record', 'run.mcap', '--frames', '3'], {
      cwd,
    });
    expect(next.stderr).toMatch(
      /run\.recording\.mcap was interrupted in an earlier run; "depthline recover run\.recording\.mcap" makes it whole/,
    );
    expect(existsSync(join(cwd, 'run-2.mcap'))).toBe(true);
  });

  it('leaves damaged chunks out, and says where they are', async () => {
    const cwd = workplace();
    const frames = Array.from({ length: 20 }, (_, seq) => imageFrame(64, 48, seq));
    const path = join(cwd, 'run.mcap');
    await recordFrames(path, frames, { chunk: '20kB', compression: 'none' });
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 100_000, 100_100));
    // Its index is whole, which does not make the file whole.
    const { code, stdout, stderr } = await depthline(['recover', 'run.mcap'], { cwd });
    expect(stderr).toMatch(/^warning: .*run\.mcap is damaged at byte \d+: Incorrect chunk CRC/);
    expect(stdout).toMatch(/are in run\.recovered\.mcap/);
    expect(code).toBe(0);
    const played = await playFrames({ path: join(cwd, 'run.recovered.mcap') });
    expect(played.length).toBeGreaterThanOrEqual(16);
    expect(played.length).toBeLessThan(20);
    expect(played.at(-1)?.seq).toBe(19);
    const sound = await depthline(['recover', 'run.recovered.mcap'], { cwd });
    expect(sound.stdout).toMatch(/is whole/);
  });

  it.each([
    ['a file of something else', 'text', 'is not an MCAP file'],
    ['a file without a chunk', '\x89MCAP0\r\n', 'nothing can be recovered'],
  ])('%s', async (_, text, message) => {
    const cwd = workplace();
    writeFileSync(join(cwd, 'run.mcap'), text, 'latin1');
    const { code, stderr } = await depthline(['recover', 'run.mcap'], { cwd });
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    expect(readdirSync(cwd)).toEqual(['run.mcap']);
  });
});
