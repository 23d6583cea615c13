import { readFileSync, renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DepthlineError, located, reason } from '../../src/core/errors.ts';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('reason', () => {
  it('gives the message of an error, or the thrown value itself', () => {
    expect(reason(new Error('no camera'))).toBe('no camera');
    expect(reason('no camera')).toBe('no camera');
    expect(reason(undefined)).toBe('undefined');
  });

  it('leaves out the code of a system call, and keeps its path', () => {
    const missing = thrownBy(() => readFileSync('/nowhere/a, b'));
    expect(reason(missing)).toBe('no such file or directory (/nowhere/a, b)');
    const moved = thrownBy(() => renameSync('/nowhere/a', '/nowhere/b'));
    expect(reason(moved)).toBe('no such file or directory (/nowhere/a)');
    const folder = thrownBy(() => readFileSync('/'));
    expect(reason(folder)).toBe('illegal operation on a directory');
  });

  it('leaves other messages as they are', () => {
    for (const message of ['EXTRA: a, b and c', 'E: no space, write more', 'ENOENT']) {
      expect(reason(new Error(message))).toBe(message);
    }
  });
});

describe('located', () => {
  it('keeps the place that an error has', () => {
    const error = new DepthlineError('SINK', 'full', { at: 'sinks[0] file' });
    expect(located(error, 'SOURCE', 'source ticker')).toBe(error);
  });

  it('gives an error without a place one, and keeps its code and cause', () => {
    const cause = new Error('busy');
    const error = located(new DepthlineError('MODEL', 'bad', { cause }), 'SOURCE', 'source a');
    expect(error).toMatchObject({ code: 'MODEL', message: 'bad', at: 'source a', cause });
  });

  it('makes any thrown value an error of its place', () => {
    const cause = new Error('busy');
    expect(located(cause, 'SINK', 'sinks[0] a')).toMatchObject({
      ...{ code: 'SINK', message: 'busy', at: 'sinks[0] a', cause },
    });
    expect(located('busy', 'SINK', 'sinks[0] a').message).toBe('busy');
  });
});

it('a wrong configuration ends with exit code 2, everything else with 1', () => {
  expect(new DepthlineError('CONFIG', 'a').exitCode).toBe(2);
  expect(new DepthlineError('SINK', 'a').exitCode).toBe(1);
});
