import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DepthlineError } from '../../src/core/errors.ts';
import { compressions } from '../../src/mcap/compression.ts';
import { recover } from '../../src/mcap/recover.ts';
import { sampleFrame } from '../../src/testing/sample-frames.ts';
import { workplace } from '../support/cli.ts';
import { framesIn, playFrames, recordFrames } from '../support/mcap.ts';
import { fc } from '../support/property.ts';

const numRuns = Number(process.env.FUZZ_RUNS ?? 25);

describe.each(compressions)('a file of %s that was changed at random', (compression) => {
  let folder = '';
  let good = Buffer.alloc(0);
  beforeAll(async () => {
    folder = workplace();
    const frames = [0, 1, 2, 3].map((seq) => sampleFrame('depth', seq));
    await recordFrames(join(folder, 'good.mcap'), frames, { compression, chunk: '3kB' });
    good = readFileSync(join(folder, 'good.mcap'));
  });

  const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 5,
  });
  const length = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });

  it('gives frames, or one error that says what is wrong; recover keeps what can be read', async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(changes, length, async (changed, cut) => {
        const path = join(folder, 'changed.mcap');
        const bytes = Buffer.from(good);
        for (const [at, value] of changed) bytes[Math.floor(at * bytes.length)] = value;
        writeFileSync(path, cut === undefined ? bytes : bytes.subarray(0, cut * bytes.length));
        const frames = await playFrames({ path, as: 'depth' }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(DepthlineError);
          return [];
        });
        const base = join(folder, `recovered-${n++}.mcap`);
        const recovered = await recover(path, base).catch((error: unknown) => {
          expect(error).toBeInstanceOf(DepthlineError);
          return undefined;
        });
        if (recovered && recovered.damage.length === 0)
          expect(await framesIn(recovered.path)).toBeGreaterThanOrEqual(frames.length);
      }),
      { numRuns },
    );
  });
});
