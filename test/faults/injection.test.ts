import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadGStreamer } from '../../src/gstreamer/binding.ts';
import { depthline, imbalances, leftBehind, start, summaryOf, workplace } from '../support/cli.ts';
import { makeVideo } from '../support/gstreamer.ts';

/** What a shell would do with each: make a file of this name. */
const trace = 'hacked';
const shell = [`$(touch ${trace})`, `\`touch ${trace}\``, `;touch ${trace};`, `|touch ${trace}`];

describe('a pipeline file with shell commands in its values', () => {
  it.each(shell)('%s: takes them as names', async (name) => {
    const cwd = workplace();
    makeVideo(join(cwd, `${name}.mkv`), {
      frames: 5,
      width: 64,
      height: 48,
      encode: 'jpegenc ! matroskamux',
    });
    const pipeline = {
      description: name,
      source: { 'video-file': { path: `${name}.mkv` } },
      sinks: [
        { file: { directory: `out ${name}`, format: 'png' } },
        { video: { path: `${name}-out.mkv`, codec: 'mjpeg' } },
        { zeromq: { bind: 'tcp://127.0.0.1:*', topic: name } },
      ],
    };
    writeFileSync(join(cwd, 'p.yaml'), stringify(pipeline));
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(/^zeromq: bound to \S+\n$/);
    expect(imbalances(summaryOf(finished))).toEqual([0, 0, 0]);
    expect(await leftBehind(running)).toEqual([]);
    const files = readdirSync(cwd, { recursive: true }) as string[];
    expect(files).toContain(`${name}-out.mkv`);
    expect(files.filter((file) => file.split('/').includes(trace))).toEqual([]);
  });
});

/** Options that become part of a launch line, with a value around `text`. */
const texts: readonly [string, (text: string) => Record<string, unknown>][] = [
  ['video-file', (text) => ({ path: `${text}.mkv` })],
  ['usb-camera', (text) => ({ device: `/dev/${text}` })],
  ['rtsp', (text) => ({ url: `rtsp://127.0.0.1/${text.replaceAll(' ', '')}` })],
];
const elements = [
  'x" ! videotestsrc name=evil ! "',
  "x' ! videotestsrc name=evil ! '",
  'x\\" ! fakesrc',
];
const escapes = texts.flatMap(([source, options]) =>
  elements.map((text) => [source, options(text)] as const),
);

describe('a launch line', () => {
  it('of the tests would show an element that got in', () => {
    const { Pipeline } = loadGStreamer();
    const line = new Pipeline(
      'videotestsrc ! fakesink fakesrc ! fakesink videotestsrc name=evil ! fakesink',
    );
    for (const name of ['evil', 'videotestsrc0', 'fakesrc0'])
      expect(line.findChild(name)).toBeDefined();
  });

  it.each(escapes)('of %s gets no element from %o', async (source, options) => {
    const { Pipeline } = loadGStreamer();
    const cwd = workplace();
    const pipeline = { source: { [source]: options }, sinks: ['discard'] };
    writeFileSync(join(cwd, 'p.yaml'), stringify(pipeline));
    if (typeof options.path === 'string') writeFileSync(join(cwd, options.path), '');
    const { code, stdout } = await depthline(['plan', 'p.yaml', '--json'], { cwd });
    expect(code).toBe(0);
    const { launchLine } = JSON.parse(stdout) as { launchLine: string };
    const line = new Pipeline(launchLine);
    for (const name of ['evil', 'videotestsrc0', 'fakesrc0'])
      expect(line.findChild(name)).toBeUndefined();
  });
});
