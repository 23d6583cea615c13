import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';
import { fixtureModel, putModel } from '../support/models.ts';

const source = 'source: { test-pattern: { width: 64, height: 48, frames: 2 } }';

/** A project with a metric, a relative and a calibrated model, and one without a manifest. */
function project(pipeline: string): string {
  const cwd = workplace({ 'p.yaml': pipeline });
  mkdirSync(join(cwd, 'models'));
  const models = join(cwd, 'models');
  putModel(models, 'metres');
  putModel(models, 'inverse', {}, 'relative');
  putModel(models, 'inverse', { output: { scale: 0.5, shift: 0.1 } }, 'calibrated');
  putModel(models, 'inverse', { output: { meaning: 'disparity' } }, 'disparity');
  putModel(models, 'planar', { input: { width: 10 } }, 'misfit');
  copyFileSync(fixtureModel('metres'), join(models, 'bare.onnx'));
  return cwd;
}

const file = (operators: string, sink = 'discard') =>
  `${source}\noperators:\n${operators}\nsinks:\n  - ${sink}\n`;

const refused: readonly (readonly [string, string, RegExp])[] = [
  [
    'a misspelt model',
    file('  - estimate-depth: { model: fastdpth }'),
    /^p\.yaml:3:30: model: there is no model "fastdpth".*did you mean "fastdepth"\?$/m,
  ],
  [
    'a model without a manifest',
    file('  - estimate-depth: { model: bare }'),
    /^p\.yaml:3:30: model: .*bare\.onnx has no manifest.*Write .*bare\.yaml[\s\S]*\n {2}meaning: {2}# metres, log/m,
  ],
  [
    'a picture format for depth',
    file('  - estimate-depth: { model: metres }', 'file: { directory: out, format: png }'),
    /^p\.yaml:5:37: format: format png cannot hold depth frames; use png16 or npy/m,
  ],
  [
    'points without intrinsics',
    file('  - estimate-depth: { model: metres }\n  - point-cloud'),
    /^p\.yaml:4:5: .*point-cloud needs camera intrinsics.*field-of-view/m,
  ],
  [
    'a provider that is not there',
    file('  - estimate-depth: { model: metres, providers: [cuda] }'),
    /^p\.yaml:3:50: cuda is not available on this machine; valid: .*cpu/m,
  ],
  [
    'a model that does not fit its manifest',
    file('  - estimate-depth: { model: misfit }'),
    /^p\.yaml:3:30: model: .*misfit\.onnx does not fit its manifest.*10 wide/m,
  ],
  [
    'a layout for pictures with data of points',
    file(
      '  - estimate-depth: { model: metres }\n  - point-cloud: { field-of-view: 60 }',
      'file: { directory: out, layout: rgbd }',
    ),
    /^p\.yaml:6:37: layout: rgbd cannot hold points frames/m,
  ],
];

describe('check refuses what would fail at the start of a run', () => {
  it.each(refused)('%s', async (_, text, message) => {
    const { code, stdout } = await depthline(['check', 'p.yaml'], { cwd: project(text) });
    expect(stdout).toMatch(message);
    expect(code).toBe(2);
  });

  it.each(refused.slice(0, 5))('run says the same of %s', async (_, text, message) => {
    const { code, stderr, stdout } = await depthline(['run', 'p.yaml'], { cwd: project(text) });
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

const relative = (operators: string, sink = 'discard', model = 'relative') =>
  file(`  - estimate-depth: { model: ${model} }${operators}`, sink);

const refusedRelative: readonly (readonly [string, string, string, RegExp])[] = [
  ['clamp', relative('\n  - clamp: { max: 5 }'), '4:5', /clamp limits metres/],
  ['compare-depth', relative('\n  - compare-depth'), '4:5', /compares with metres/],
  ['points', relative('\n  - point-cloud: { field-of-view: 60 }'), '4:5', /points are in metres/],
  ['colours', relative('\n  - colorize: { max: 5 }'), '4:22', /fixed colour range is in metres/],
  ['panels', relative('\n  - side-by-side: { panels: [depth, error] }'), '4:21', /"error"/],
  ['a video', relative('', 'video: { path: a.mkv, min: 1 }'), '5:32', /colour range/],
  ['a display', relative('', 'display: { max: 9 }'), '5:21', /colour range/],
  [
    '16UC1',
    relative('', 'zeromq: { bind: "tcp://127.0.0.1:*", encoding: 16UC1 }'),
    '5:52',
    /32FC1/,
  ],
  ['png16', relative('', 'file: { directory: out }'), '5:5', /png16 is in millimetres/],
  ['rgbd', relative('', 'file: { directory: out, layout: rgbd }'), '5:37', /rgbd is in mill/],
  ['disparity', relative('\n  - clamp', 'discard', 'disparity'), '4:5', /clamp limits metres/],
  [
    'depth that passed on',
    relative('\n  - smooth\n  - crop: { aspect: 1 }\n  - flip\n  - clamp'),
    '7:5',
    /clamp/,
  ],
];

const acceptedDepth: readonly (readonly [string, string])[] = [
  ['a calibrated model', relative('\n  - clamp', 'discard', 'calibrated')],
  [
    'relative depth where it fits',
    relative('\n  - colorize', 'file: { directory: o, format: png }'),
  ],
  ['relative depth in 32FC1', relative('', 'zeromq: { bind: "tcp://127.0.0.1:*" }')],
  ['relative depth in npy', relative('', 'file: { directory: o, format: npy }')],
];

describe('check refuses relative depth where metres are needed', () => {
  let lines: string[] = [];

  // All files in one process: starting one takes longer than checking them.
  beforeAll(async () => {
    const cwd = project('');
    const texts = [...refusedRelative, ...acceptedDepth].map(([, text]) => text);
    const names = texts.map((_, i) => `${i}.yaml`);
    for (const [i, text] of texts.entries()) writeFileSync(join(cwd, `${i}.yaml`), text);
    const { code, stdout } = await depthline(['check', ...names], { cwd });
    lines = stdout.trim().split('\n');
    expect(code).toBe(2);
  });

  const linesOf = (file: string) => lines.filter((line) => line.startsWith(`${file}:`));

  it.each(refusedRelative.map((one, i) => [...one, `${i}.yaml`] as const))(
    '%s',
    (_, __, place, message, file) => {
      expect(linesOf(file)).toEqual([expect.stringMatching(message)]);
      expect(linesOf(file)[0]).toContain(`${file}:${place}: `);
      expect(linesOf(file)[0]).toMatch(/relative, without a unit: .*depthline calibrate/);
    },
  );

  it.each(acceptedDepth.map(([name], i) => [name, `${refusedRelative.length + i}.yaml`]))(
    'but not %s',
    (_, file) => expect(linesOf(file as string)).toEqual([`${file}: ok`]),
  );
});

it('check reports all problems at once, also those behind the first', async () => {
  const cwd = project(`source: { test-pattern: { widht: 64 } }
operators:
  - estimate-depth: { model: fastdpth, providers: [cuda] }
  - smoth
  - estimate-depth: { model: relative }
  - clamp: { min: -1 }
sinks:
  - file: { directory: out, format: png }
  - file: { directory: out, format: npy }
  - video: { path: a.avi }
`);
  const { code, stdout } = await depthline(['check', '--json', 'p.yaml'], { cwd });
  const found = (JSON.parse(stdout) as { line: number; message: string }[]).map(
    ({ line, message }) => `${line} ${message}`,
  );
  const expected = [
    /^1 unknown option "widht"/,
    /^3 model: there is no model "fastdpth"/,
    /^3 cuda is not available/,
    /^4 unknown operator "smoth"/,
    /^6 min: must be at least 0/,
    /^9 directory: the folder .* is written by sinks\[0\] file too/,
    /^10 path: must end in/,
  ];
  for (const pattern of expected) expect(found).toContainEqual(expect.stringMatching(pattern));
  expect(code).toBe(2);
});
