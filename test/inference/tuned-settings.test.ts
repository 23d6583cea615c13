import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findModel, type Model, verifyModel } from '../../src/inference/model-files.ts';
import { chooseSettings } from '../../src/inference/tuned-settings.ts';
import { hashOf, tuningFolder, tuningKey, writeTuning } from '../../src/inference/tuning-cache.ts';
import { putModel } from '../support/models.ts';

let folder: string;
let model: Model;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-tuning-'));
  vi.stubEnv('DEPTHLINE_CACHE', folder);
  model = await verifyModel(await findModel(putModel(folder, 'metres'), folder));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const providers = ['cpu'];
const found = {
  workers: 2,
  threads: 3,
  session: { spinning: false, arena: true, graph: 'all' as const },
  fps: 20,
  defaultFps: 10,
  date: '2026-01-01',
};
const store = (more: object = {}) =>
  writeTuning(tuningKey(model.sha256, providers), { ...found, ...more });

describe('the settings of a model', () => {
  it('are one of each where nothing is known', () => {
    expect(chooseSettings(model, { providers })).toEqual({
      workers: 1,
      threads: 1,
      batch: 1,
      path: model.path,
    });
  });

  it('are those that were found for it here', () => {
    store();
    expect(chooseSettings(model, { providers })).toEqual({
      workers: 2,
      threads: 3,
      batch: 1,
      session: found.session,
      path: model.path,
      tuned: '2 workers, 3 threads, no spinning',
    });
  });

  it('put pictures of several cameras into one call where that was found to be faster', () => {
    store({ batch: { size: 4, workers: 1, threads: 6, fps: 30 } });
    const chosen = (more: object) => chooseSettings(model, { providers, ...more });
    const words = '1 worker, 6 threads, up to 4 pictures in a call, no spinning';
    expect(chosen({ cameras: 8 })).toMatchObject({
      workers: 1,
      threads: 6,
      batch: 4,
      tuned: words,
    });
    // No more than there are cameras, and none where the user has said how it runs.
    expect(chosen({ cameras: 3 }).batch).toBe(3);
    expect(chosen({ cameras: 8, batch: 2 })).toMatchObject({ workers: 1, threads: 6, batch: 2 });
    for (const more of [{}, { cameras: 1 }, { cameras: 8, batch: 1 }])
      expect(chosen(more)).toMatchObject({ workers: 2, threads: 3, batch: 1 });
    expect(chosen({ cameras: 8, workers: 2 })).toMatchObject({ threads: 3, batch: 1 });
  });

  it('are stored without writing through a link', () => {
    const foreign = join(folder, 'notes');
    writeFileSync(foreign, 'my notes');
    const path = store();
    rmSync(path);
    for (const name of [path, `${path}.part`]) symlinkSync(foreign, name);
    expect(store()).toBe(path);
    expect(readFileSync(foreign, 'utf8')).toBe('my notes');
    expect(chooseSettings(model, { providers })).toMatchObject({ workers: 2 });
  });

  it('are the user’s first', () => {
    store();
    expect(chooseSettings(model, { providers, workers: 5 })).toMatchObject({
      workers: 5,
      threads: 3,
    });
    expect(chooseSettings(model, { providers, untuned: true })).not.toHaveProperty('tuned');
  });

  it('of another model, or for other providers, are not used', () => {
    store();
    expect(chooseSettings({ ...model, sha256: 'another' }, { providers }).workers).toBe(1);
    expect(chooseSettings(model, { providers: ['cuda'] }).workers).toBe(1);
  });

  it('go without a saved graph that is not the one that was saved', () => {
    const saved = join(folder, 'saved.onnx');
    writeFileSync(saved, 'graph');
    store({ saved: { path: saved, sha256: hashOf(saved) } });
    expect(chooseSettings(model, { providers }).path).toBe(saved);
    writeFileSync(saved, 'damaged');
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const settings = chooseSettings(model, { providers }, warn);
    expect(settings).toMatchObject({ workers: 2, path: model.path });
    expect(warnings).toEqual([expect.stringContaining(saved)]);
  });

  it('that are damaged are named and left', () => {
    writeFileSync(store(), '{"workers": 0');
    const warnings: string[] = [];
    const settings = chooseSettings(model, { providers }, (message) => void warnings.push(message));
    expect(settings.workers).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/damaged.*depthline tune/)]);
  });

  it('are written whole or not at all', () => {
    store();
    expect(readdirSync(join(folder, 'tuning')).filter((name) => name.endsWith('.part'))).toEqual(
      [],
    );
    writeFileSync(join(folder, 'file'), '');
    vi.stubEnv('DEPTHLINE_CACHE', join(folder, 'file'));
    expect(() => store()).toThrow(/set DEPTHLINE_CACHE/);
  });

  it('lie in the user’s cache folder', () => {
    expect(tuningFolder({ DEPTHLINE_CACHE: '/a' })).toBe('/a/tuning');
    expect(tuningFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/depthline/tuning');
    expect(tuningFolder({})).toMatch(/\.cache\/depthline\/tuning$/);
  });
});
