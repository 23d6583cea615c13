import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EvaluationOptions, evaluateSet } from '../../src/evaluation/evaluate.ts';
import { chooseFrames, writeReport } from '../../src/evaluation/report.ts';
import { findRgbdPairs, readRgbd } from '../../src/evaluation/rgbd-folder.ts';
import { comparisonRows, notes } from '../../src/evaluation/tables.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { type FixtureModel, putModel } from '../support/models.ts';
import { writeByteDepth, writePair } from '../support/rgbd.ts';

let folder: string;
const estimators: DepthEstimator[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rgbd-'));
});
afterEach(async () => {
  await Promise.all(estimators.splice(0).map((estimator) => estimator.close()));
  rmSync(folder, { recursive: true });
});

async function open(model: FixtureModel = 'metres'): Promise<DepthEstimator> {
  const estimator = await DepthEstimator.open({ model: putModel(folder, model) });
  estimators.push(estimator);
  return estimator;
}

async function evaluate(options: EvaluationOptions = {}, model?: FixtureModel) {
  const pairs = await findRgbdPairs(folder, '/');
  return evaluateSet('set', pairs, [await open(model)], options);
}

describe('evaluateSet', () => {
  it('computes the errors that a calculation by hand gives', async () => {
    // 1 m of red everywhere: right on the left half, 0.5 m too near on the right one.
    await writePair(folder, 'a', 100, (x) => (x < 4 ? 1 : 1.5));
    const [result] = (await evaluate()).models;
    expect(result?.errors.delta1).toBeCloseTo(0.5, 6);
    // 1.5 is within 1.25².
    expect(result?.errors.delta2).toBeCloseTo(1, 6);
    expect(result?.errors.rmse).toBeCloseTo(Math.sqrt(0.125), 5);
    expect(result?.errors.mae).toBeCloseTo(0.25, 5);
    expect(result?.errors.absRel).toBeCloseTo(0.5 / 1.5 / 2, 5);
    expect(result?.errors.sqRel).toBeCloseTo(0.25 / 1.5 / 2, 5);
    expect(result?.errors.log10).toBeCloseTo(Math.log10(1.5) / 2, 5);
    expect(result?.latencyMs?.p50).toBeGreaterThan(0);
  });

  it('scales each prediction to the median of its truth', async () => {
    await writePair(folder, 'a', 100, () => 3);
    const [result] = (await evaluate()).models;
    expect(result?.errors.delta3).toBe(0);
    expect(result?.scaled.delta1).toBe(1);
    expect(result?.scaled.rmse).toBeCloseTo(0, 5);
  });

  it('counts only valid truth within the range', async () => {
    await writePair(folder, 'a', 100, (x, y) => (x === 0 ? 0 : y === 0 ? 8 : 1));
    const all = (await evaluate()).models[0];
    const near = (await evaluate({ range: { min: 0.1, max: 5 } })).models[0];
    expect(all?.errors.delta1).toBeCloseTo(5 / 6, 6);
    expect(near?.errors.delta1).toBe(1);
    expect(near?.frames[0]?.errors?.pixels).toBe(35);
  });

  it('averages over frames, or over pixels', async () => {
    await writePair(folder, 'a', 100, () => 1);
    await writePair(folder, 'b', 100, (x, y) => (x === 0 && y === 0 ? 3 : 0));
    expect((await evaluate()).models[0]?.errors.delta1).toBeCloseTo(0.5, 6);
    const pixels = (await evaluate({ average: 'pixels' })).models[0];
    expect(pixels?.errors.delta1).toBeCloseTo(48 / 49, 6);
  });

  it('notes frames without a pixel to compare, and depth without a unit', async () => {
    await writePair(folder, 'a', 100, () => 0);
    await writePair(folder, 'b', 100, () => 1);
    const result = await evaluate({}, 'inverse');
    expect(notes(result)).toEqual([
      'inverse: 1 of 2 frames have no pixel to compare',
      'inverse: outputs relative depth without a unit; only its median-scaled errors are meaningful',
    ]);
    const [, plain, scaled] = comparisonRows(result);
    expect(plain?.slice(1, 9).every((cell) => cell === '–')).toBe(true);
    expect(scaled?.[1]).toBe('1.000');
  });
});

describe('an RGB-D folder', () => {
  it('is read in natural order, pictures with depth only', async () => {
    for (const name of ['10', '9', '1']) await writePair(folder, name, 10, () => 1);
    rmSync(join(folder, 'depth', '9.png'));
    const warned: string[] = [];
    const pairs = await findRgbdPairs(folder, '/', [], (message) => warned.push(message));
    expect(pairs.map(({ name }) => name)).toEqual(['1', '10']);
    expect(warned).toEqual([`${folder}: 1 of 3 pictures have no depth picture`]);
  });

  it('may be in other units', async () => {
    await writePair(folder, 'a', 10, () => 5);
    const [pair] = await findRgbdPairs(folder, '/');
    const first = async (options: object) =>
      (await readRgbd(pair as NonNullable<typeof pair>, 0, options)).truth?.data[0];
    expect(await first({})).toBeCloseTo(5, 5);
    expect(await first({ depthUnit: 0.0002 })).toBeCloseTo(1, 5);
    await writeByteDepth(folder, 'a', 51);
    expect(await first({})).toBeCloseTo(2, 5);
  });

  it('is cropped as the paper does, and loses its border', async () => {
    await writePair(folder, 'a', 10, (x) => x + 1);
    const [pair] = (await findRgbdPairs(folder, '/')) as [never];
    const inner = await readRgbd(pair, 0, { border: 1 });
    expect([inner.width, inner.height]).toEqual([6, 4]);
    expect(inner.truth?.data[0]).toBeCloseTo(2, 3);
    await sharp({ create: { width: 640, height: 480, channels: 3, background: '#888' } })
      .png()
      .toFile(join(folder, 'rgb', 'a.png'));
    const paper = await readRgbd(pair, 0, { crop: 'paper' });
    expect([paper.width, paper.height]).toEqual([304, 228]);
    await expect(readRgbd(pair, 0, { border: 300 })).rejects.toThrow(
      /a border of 300 pixels exceeds/,
    );
  });

  it('can be limited to a sequence of its manifest', async () => {
    for (const name of ['1', '2']) await writePair(folder, name, 10, () => 1);
    writeFileSync(join(folder, 'manifest.csv'), 'file,sequence\nrgb/1.png,hall\nrgb/2.png,attic\n');
    const pairs = await findRgbdPairs(folder, '/', ['attic']);
    expect(pairs.map(({ name }) => name)).toEqual(['2']);
    await expect(findRgbdPairs(folder, '/', ['atic'])).rejects.toThrow(
      /no sequence "atic"; did you mean "attic"\?/,
    );
  });

  it('names a file that cannot be read', async () => {
    await writePair(folder, 'a', 10, () => 1);
    writeFileSync(join(folder, 'depth', 'a.png'), 'nothing');
    const [pair] = (await findRgbdPairs(folder, '/')) as [never];
    await expect(readRgbd(pair, 0)).rejects.toThrow(/cannot read .*depth\/a\.png/);
  });
});

describe('the report', () => {
  it('shows the best, the median and the worst frame, with pictures inside', async () => {
    const truths = [1.05, 1, 3, 1.2, 2];
    for (const [i, truth] of truths.entries()) await writePair(folder, `f${i}`, 100, () => truth);
    const pairs = await findRgbdPairs(folder, '/');
    const estimator = await open();
    const result = await evaluateSet('<set>', pairs, [estimator], {});
    expect(chooseFrames(result).map(({ title, frame }) => `${title} ${frame}`)).toEqual([
      'Best f1',
      'Median f3',
      'Worst f2',
    ]);
    const page = await writeReport(join(folder, 'report'), {
      command: 'depthline eval & more',
      sets: [{ result, pairs }],
      estimators: [estimator],
      rgbd: {},
    });
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('&lt;set&gt;');
    expect(html).toContain('depthline eval &amp; more');
    for (const i of truths.keys()) expect(html).toContain(`<td>f${i}</td>`);
    const pictures = [...html.matchAll(/src="data:image\/(png|jpeg);base64,([^"]+)"/g)];
    expect(pictures).toHaveLength(3 * 4);
    for (const [, , base64] of pictures) {
      const { width, height } = await sharp(Buffer.from(base64 as string, 'base64')).metadata();
      expect([width, height]).toEqual([8, 6]);
    }
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    const { sets } = JSON.parse(readFileSync(join(folder, 'report', 'results.json'), 'utf8'));
    expect(sets[0].models[0].frames).toHaveLength(5);
  });

  it('shows relative depth scaled to the truth, and gives no metres of its own', async () => {
    for (const [i, truth] of [1, 3].entries()) await writePair(folder, `f${i}`, 100, () => truth);
    const pairs = await findRgbdPairs(folder, '/');
    const estimator = await open('inverse');
    const result = await evaluateSet('set', pairs, [estimator], {});
    const page = await writeReport(join(folder, 'report'), {
      command: 'depthline eval',
      sets: [{ result, pairs }],
      estimators: [estimator],
      rgbd: {},
    });
    const html = readFileSync(page, 'utf8');
    const facts = [...html.matchAll(/<p>(.*: δ1 .*)<\/p>/g)].map(([, text]) => text);
    expect(facts.length).toBeGreaterThan(0);
    const scaled = result.models[0]?.frames[0]?.scaled;
    for (const text of facts) expect(text).toMatch(/^inverse, median-scaled: δ1 1\.000, /);
    expect(scaled?.delta1).toBe(1);
  });
});
