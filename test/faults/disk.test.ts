import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { definePipeline, type OnError } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { file } from '../../src/sinks/file.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { until } from '../support/gstreamer.ts';
import { removeAtOnce } from '../support/harmed-place.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';

const cleaning: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleaning.splice(0).reverse()) clean();
});

interface Place {
  readonly directory: string;
  /** Takes away what writing needs, and gives it back. */
  harm(): void;
  mend(): void;
  /** Whether earlier frames are still there when it is mended. */
  readonly keeps: boolean;
  readonly problem: RegExp;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-disk-'));
  cleaning.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const nobody = 65_534;
/** A picture takes a page of 4 KiB, whatever its size. */
const diskKiB = 2048;

function fullDisk(): Place {
  const disk = smallDisk(diskKiB);
  cleaning.push(() => disk.remove());
  return {
    directory: disk.path,
    harm: () => disk.fill(),
    mend: () => disk.free(),
    keeps: true,
    problem: /the disk of .* is full; free space/,
  };
}

function noInodes(): Place {
  const disk = smallDisk(diskKiB, 400);
  cleaning.push(() => disk.remove());
  const fillers: string[] = [];
  return {
    directory: disk.path,
    harm() {
      try {
        for (let n = 0; ; n++) {
          const filler = join(disk.path, `filler-${n}`);
          writeFileSync(filler, '');
          fillers.push(filler);
        }
      } catch {
        // There is no inode left.
      }
    },
    mend() {
      for (const filler of fillers) rmSync(filler);
    },
    keeps: true,
    problem: /the disk of .* is full; free space/,
  };
}

const places: Readonly<Record<string, () => Place>> = {
  'a directory that is removed, with a file in its place': () => {
    const directory = join(temporary(), 'out');
    return {
      directory,
      harm() {
        removeAtOnce(directory);
        writeFileSync(directory, 'not a directory');
      },
      mend: () => rmSync(directory),
      keeps: false,
      problem: /vanished|is not a directory/,
    };
  },
  ...(canMount && { 'a disk that is full': fullDisk, 'a disk without a free inode': noInodes }),
  'a directory that may no longer be written': () => {
    const folder = temporary();
    const directory = join(folder, 'out');
    const root = process.getuid?.() === 0;
    const mend = () => {
      if (root) process.seteuid?.(0);
      else chmodSync(directory, 0o700);
    };
    return {
      directory,
      harm() {
        // Nothing is forbidden to root, so the process stops being root.
        cleaning.push(mend);
        if (root) process.seteuid?.(nobody);
        else chmodSync(directory, 0o500);
      },
      mend,
      keeps: true,
      problem: /no permission to write in/,
    };
  },
};

/** A camera whose frames are written; in the middle the place is harmed, and mended later. */
async function lose({ directory, harm, mend }: Place, onError: OnError) {
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
  const pipeline = definePipeline({
    // Pictures of one colour: a small disk has room for many.
    source: testPattern({ width: 16, height: 16, fps: 50, realtime: true, pattern: 'black' }),
    sinks: [{ sink: file({ directory, format: 'png' }), onError }],
  });
  const run = await startPipeline(pipeline, { log });
  let over = false;
  void run.done.then(() => {
    over = true;
  });
  const branch = () => run.stats().branches[0];
  await until(() => (branch()?.delivered ?? 0) > 10);
  harm();
  await until(() => over || warnings.length > 0);
  const lost = branch()?.delivered ?? 0;
  if (onError === 'skip') await until(() => over || (branch()?.failed ?? 0) > 5);
  mend();
  await until(() => over || (branch()?.delivered ?? 0) > lost + 10);
  run.stop();
  const summary = await run.done;
  expect(summary.branches.map(imbalance)).toEqual([0]);
  const [account] = summary.branches;
  if (!account) throw new Error('no branch');
  return { summary, account, warnings, after: account.delivered - lost };
}

/** The pictures of a directory: each whole, and no other file that looks like one. */
function pictures(directory: string): number {
  const names = readdirSync(directory).filter((name) => /^\d/.test(name));
  for (const name of names) {
    expect(name).toMatch(/^\d{6}\.png$/);
    expect(readFileSync(join(directory, name)).subarray(-8, -4).toString()).toBe('IEND');
  }
  return names.length;
}

describe.each(Object.entries(places))('%s while frames are written, and back later', (_, make) => {
  it('with on-error: fail ends the run with what to do', async () => {
    const place = make();
    const { summary, account } = await lose(place, 'fail');
    expect(summary.error).toMatchObject({ code: 'SINK', at: 'sinks[0] file' });
    expect(summary.error?.message).toMatch(place.problem);
    expect(summary.error?.message).toContain(place.directory);
    expect(account.failed).toBe(1);
    if (place.keeps) expect(pictures(place.directory)).toBe(account.delivered);
  });

  it('with on-error: skip misses the frames in between, counted and named', async () => {
    const place = make();
    const { summary, account, warnings, after } = await lose(place, 'skip');
    expect(summary.error).toBeUndefined();
    expect(account.failed).toBeGreaterThan(5);
    // At most one warning in 5 s names what fails.
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.length).toBeLessThanOrEqual(account.failed);
    expect(warnings[0]).toMatch(place.problem);
    expect(pictures(place.directory)).toBe(place.keeps ? account.delivered : after);
  });

  it('with on-error: retry loses no frame that it was given', async () => {
    const place = make();
    const { summary, account, warnings, after } = await lose(place, 'retry');
    expect(summary.error).toBeUndefined();
    expect(account.failed).toBe(0);
    expect(warnings[0]).toMatch(/trying again/);
    expect(pictures(place.directory)).toBe(place.keeps ? account.delivered : after);
  });
});
