import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { checkPipeline, definePipeline } from '../../src/pipeline/pipeline.ts';
import { loadPipelineFile } from '../../src/pipeline/pipeline-file.ts';
import { file } from '../../src/sinks/file.ts';
import { video } from '../../src/sinks/video.ts';
import { gstreamer } from '../../src/sources/gstreamer.ts';
import { images } from '../../src/sources/images.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { videoFile } from '../../src/sources/video-file.ts';

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-conflicts-'));
  for (const name of ['pics', 'set', 'set/rgb', 'set/depth', 'out']) mkdirSync(at(name));
  for (const name of ['walk.mp4', 'pics/a.png', 'set/rgb/a.jpg', 'set/depth/a.png'])
    writeFileSync(at(name), name);
  symlinkSync('pics', at('alias'));
  symlinkSync('walk.mp4', at('alias.mp4'));
  linkSync(at('walk.mp4'), at('twin.mp4'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Source = Parameters<typeof definePipeline>[0]['source'];

function problems(source: Source, ...sinks: ReturnType<typeof file>[]): string[] {
  const found: Parameters<typeof checkPipeline>[1] = [];
  checkPipeline({ source, sinks, baseDirectory: folder }, found);
  return found.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('an output that is an input', () => {
  it.each([
    ['walk.mp4', 'walk.mp4'],
    ['walk.mp4', './out/../walk.mp4'],
    ['walk.mp4', 'alias.mp4'],
    ['alias.mp4', 'walk.mp4'],
    ['walk.mp4', 'twin.mp4'],
  ])('video-file %s, video %s', (input, output) => {
    expect(problems(videoFile({ path: input }), video({ path: output }))).toEqual([
      expect.stringMatching(
        /^sinks\.0\.video\.path: the file .*\.mp4 is read by source video-file; write to another/,
      ),
    ]);
  });

  it.each([
    ['pics', 'pics', {}],
    ['pics', 'alias', {}],
    ['alias/', 'pics', {}],
    ['pics/*.png', 'pics', {}],
    ['pics/0*', 'pics', {}],
    ['**/*.png', 'out', {}],
    ['*/*.png', 'out/deep', {}],
    ['set', 'set', { layout: 'rgbd' }],
    ['set', 'set/depth', {}],
    ['set/rgb', 'set', { layout: 'rgbd', format: 'jpeg' }],
  ] as const)('images %s, file %s %j', (path, directory, more) => {
    expect(problems(images({ path }), file({ directory, ...more }))).toEqual([
      expect.stringMatching(/^sinks\.0\.file\.directory: the folder .* is read by source images/),
    ]);
  });

  it.each([
    ['filesrc location=%s ! decodebin', 'walk.mp4'],
    ['filesrc location = "%s" ! decodebin', 'walk.mp4'],
    ['filesrc location="%s" ! decodebin', 'my \\"walk\\".mp4'],
    ['filesrc location=%s ! decodebin', 'my\\ wal\\k.mp4'],
    ['uridecodebin uri=file://%s', 'my%20walk.mp4'],
    ['uridecodebin3 uri = "file://%s"', 'wa%6Ck.mp4'],
  ])('a launch line: %s of %s', (line, name) => {
    const path = at(decodeURIComponent(name.replaceAll('\\', '')));
    const source = gstreamer({ launch: line.replace('%s', at(name)), live: false });
    expect(problems(source, video({ path }))).toHaveLength(1);
    expect(problems(source, video({ path: at('other.mp4') }))).toEqual([]);
  });

  it('a launch line that reads numbered files', () => {
    const source = gstreamer({ launch: `multifilesrc location=${at('pics')}/%05d.png ! pngdec` });
    expect(problems(source, file({ directory: 'pics', format: 'png' }))).toHaveLength(1);
  });

  it('a picture that overwriting would remove', () => {
    writeFileSync(at('out/000007.png'), '');
    symlinkSync('out/000007.png', at('photo.png'));
    const into = (existing: 'append' | 'overwrite') => file({ directory: 'out', existing });
    for (const path of ['out/000007.png', 'photo.png']) {
      expect(problems(images({ path }), into('overwrite'))).toHaveLength(1);
      expect(problems(images({ path }), into('append'))).toEqual([]);
    }
    expect(problems(images({ path: 'pics/a.png' }), into('overwrite'))).toEqual([]);
  });

  it('the depth of pictures', () => {
    const source = images({ path: 'pics', depth: 'set/depth' });
    expect(problems(source, file({ directory: 'set/depth' }))).toHaveLength(1);
  });
});

describe('what does not meet', () => {
  it.each([
    ['pics', 'out', {}],
    ['pics', 'pics/depth', {}],
    ['pics', 'pics', { format: 'npy' }],
    ['pics/*.jpg', 'pics', {}],
    ['pics/a*.png', 'pics', {}],
    ['pics/a.png', 'pics', {}],
    ['set', 'set', {}],
    ['set/rgb', 'set/depth', {}],
  ] as const)('images %s, file %s %j', (path, directory, more) => {
    expect(problems(images({ path }), file({ directory, ...more }))).toEqual([]);
  });

  it('videos of other names', () => {
    expect(problems(videoFile({ path: 'walk.mp4' }), video({ path: 'walk-depth.mp4' }))).toEqual(
      [],
    );
    expect(problems(images({ path: 'pics' }), video({ path: 'pics/clip.mkv' }))).toEqual([]);
  });
});

describe('two outputs', () => {
  const source = testPattern({ frames: 1 });

  it('into one file or list are refused', () => {
    expect(problems(source, video({ path: 'a.mkv' }), video({ path: 'out/../a.mkv' }))).toEqual([
      expect.stringMatching(
        /^sinks\.1\.video\.path: the file .*a\.mkv is written by sinks\[0\] video/,
      ),
    ]);
    const format = 'png';
    const twice = [file({ directory: 'out', format }), file({ directory: 'out', format })] as const;
    expect(problems(source, ...twice)).toHaveLength(1);
  });

  it('into one folder with other names are not', () => {
    const format = 'png';
    const one = file({ directory: 'out', format, prefix: 'a_' });
    expect(problems(source, one, file({ directory: 'out', format, prefix: 'b_' }))).toEqual([]);
  });
});

it('in code is an error of the configuration', () => {
  const input = {
    source: videoFile({ path: at('walk.mp4') }),
    sinks: [video({ path: at('walk.mp4') })],
  };
  expect(() => definePipeline(input)).toThrow(
    /sinks\[0\]\.video\.path: the file .*walk\.mp4 is read/,
  );
});

it('in a file is a problem with line and column', async () => {
  const path = at('p.yaml');
  writeFileSync(
    path,
    `source: { video-file: { path: ${at('walk.mp4')} } }\nsinks:\n  - video:\n      path: ${at('alias.mp4')}\n`,
  );
  const { problems } = await loadPipelineFile(path, { registry: builtins });
  expect(problems).toEqual([
    {
      file: path,
      line: 4,
      column: 13,
      message: `path: the file ${at('alias.mp4')} is read by source video-file; write to another one`,
    },
  ]);
});

it.each([
  ['the pipeline itself', 'p.yaml'],
  ['a module of it', 'own.mjs'],
  ['its model', 'net.onnx'],
])('%s is no output', async (_, name) => {
  writeFileSync(at('own.mjs'), '');
  writeFileSync(at('net.onnx'), '');
  symlinkSync(name, at('clip.mkv'));
  writeFileSync(
    at('p.yaml'),
    `use: ./own.mjs
source: { test-pattern: {} }
operators: [ { estimate-depth: { model: ${at('net.onnx')} } } ]
sinks: [ { video: { path: ${at('clip.mkv')} } } ]`,
  );
  const { problems } = await loadPipelineFile(at('p.yaml'), { registry: builtins });
  expect(problems.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^path: the file .*clip\.mkv is read by (the pipeline itself|operators)/),
  );
});
