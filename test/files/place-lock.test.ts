import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { entryPoint } from '../../src/core/entry-point.ts';
import { lockPlace } from '../../src/files/place-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is held once, by whatever path the folder is named, until it is released', async () => {
  const lock = await lockPlace(folder, 'index.csv');
  const alias = `${folder}-alias`;
  symlinkSync(folder, alias);
  await expect(lockPlace(alias, 'index.csv')).rejects.toThrow(
    /is in use: another run or sink writes index\.csv there; end it, or choose/,
  );
  rmSync(alias);
  await (await lockPlace(folder, 'b_index.csv')).release();
  await lock.release();
  await (await lockPlace(folder, 'index.csv')).release();
});

it('leaves no file', async () => {
  const lock = await lockPlace(folder, 'index.csv');
  expect(readdirSync(folder)).toEqual([]);
  await lock.release();
});

it('is free again when its owner is killed', async () => {
  const script = join(folder, 'owner.mjs');
  const from = entryPoint('files/place-lock');
  writeFileSync(
    script,
    `import { lockPlace } from ${JSON.stringify(from.href)};
await lockPlace(${JSON.stringify(folder)}, 'index.csv');
process.send('locked');
// The lock alone keeps no process alive.
setInterval(() => {}, 1e6);`,
  );
  const owner = fork(script, { execArgv: [] });
  await once(owner, 'message');
  await expect(lockPlace(folder, 'index.csv')).rejects.toMatchObject({ code: 'SINK' });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await (await lockPlace(folder, 'index.csv')).release();
});
