import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { calibrateCommand } from '../../src/cli/calibrate.ts';
import { evalCommand } from '../../src/cli/eval.ts';
import { modelsCommand } from '../../src/cli/models.ts';
import { recoverCommand } from '../../src/cli/recover.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import { tuneCommand } from '../../src/cli/tune.ts';
import { workplace } from '../support/cli.ts';

const empty = workplace();
const other = workplace({ 'a.yaml': 'a: [', 'text.txt': 'x' });
const text = join(other, 'text.txt');
writeFileSync(join(other, 'a.onnx'), 'x');

const commands: Record<string, () => Command> = {
  eval: evalCommand,
  tune: tuneCommand,
  calibrate: calibrateCommand,
  models: modelsCommand,
  recover: recoverCommand,
  replay: () => replayCommand(() => {}),
};

const run = ([name = '', ...args]: readonly string[]) =>
  (commands[name] as () => Command)().parseAsync(args, { from: 'user' });

const candidate = ['tune', '--candidate', text, '--frames'];
const rgbd = ['calibrate', 'fastdepth', '--rgbd'];
const point = (picture: string) => ['calibrate', 'fastdepth', '--point', `${picture}:1,1=2m`];
const add = (file: string) => ['models', 'add', file, '--as', 'fastdepth-published'];

describe('what a command line names is wrong usage, exit code 2, if it is', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a folder that is missing', ['eval', '/none'], /no picture found at "\/none"/],
    ['a folder without pictures', ['eval', empty], /no picture found at/],
    ['a file in place of a folder', ['eval', text], /an RGB-D folder has rgb/],
    ['a model that is missing', ['eval', empty, '--model', 'fastdept'], /did you mean "fastdepth"/],
    [
      'a folder of pairs that is missing',
      ['eval', '--stereo', '/none'],
      /^there is no folder \/none; check/,
    ],
    ['a file in place of pairs', ['eval', '--stereo', text], /give the path of a folder of pairs$/],
    ['a folder without pairs', ['eval', '--stereo', empty], /a folder of pairs has left/],
    [
      'a model for pairs that is missing',
      ['eval', '--stereo', empty, '--model', 'fastdepth-sterio'],
      /did you mean "fastdepth-stereo"/,
    ],
    ['a model to tune that is missing', ['tune', '/none.onnx'], /there is no file \/none\.onnx/],
    ['a manifest that is no YAML', ['tune', join(other, 'a.onnx')], /a\.yaml cannot be read/],
    ['a model for pairs to tune', ['tune', 'fastdepth-stereo'], /for stereo pairs/],
    ['a model to forget that is missing', ['tune', '--forget', 'no'], /there is no model "no"/],
    [
      'a candidate that is missing',
      ['tune', '--candidate', '/none.onnx', '--frames', empty],
      /no file \/none\.onnx/,
    ],
    ['a folder of frames that is missing', [...candidate, '/none'], /no picture found at "\/none"/],
    ['a file in place of frames', [...candidate, text], /cannot read .*text\.txt/],
    [
      'a helper that is missing',
      ['tune', '--helper', 'no-such-helper', '--frames', empty],
      /no program no-such-helper/,
    ],
    ['a model to calibrate that is missing', ['calibrate', 'no', '--rgbd', empty], /no model "no"/],
    ['known depth that is missing', [...rgbd, '/none'], /no picture found at "\/none"/],
    ['a picture of a point that is missing', point('/none.jpg'), /no file \/none\.jpg; check/],
    ['a folder in place of such a picture', point(empty), /is a directory, not a regular file/],
    ['a model to add that is missing', add('/none.onnx'), /no file \/none\.onnx; check/],
    ['a folder in place of a model', add(empty), /is a directory, not a regular file/],
    ['a recording to recover that is missing', ['recover', '/none.mcap'], /no file \/none\.mcap/],
    ['a folder to recover', ['recover', empty], /is a directory, not a regular file/],
    [
      'a recording to replay that is missing',
      ['replay', '/none.mcap', '--pipeline', 'demo'],
      /no file \/none\.mcap/,
    ],
    [
      'a folder to replay',
      ['replay', empty, '--pipeline', 'demo'],
      /is a directory, not a regular file/,
    ],
  ])('%s', async (_, args, message) => {
    await expect(run(args)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });
});
