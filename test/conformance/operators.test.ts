import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import type { OperatorDefinition } from '../../src/core/component.ts';
import { depthFrame, imageFrame, stereoFrame } from '../../src/testing/sample-frames.ts';
import { conformsAsOperator, type OperatorSubject } from '../../src/testing.ts';
import { putModel } from '../support/models.ts';

const models = mkdtempSync(join(tmpdir(), 'models-'));
afterAll(() => rmSync(models, { recursive: true }));

/** Depth with a hole. */
const holey = (seq: number) => depthFrame(8, 6, seq, (x, y) => (x === 3 && y > 1 ? 0 : 1 + x / 20));

/** Samples serve where nothing else is said. */
const subjects: Readonly<Record<string, OperatorSubject>> = {
  clamp: { options: {} },
  colorize: { options: {} },
  'compare-depth': {
    options: {},
    frame: (seq) => ({ ...depthFrame(8, 6, seq), truth: depthFrame(8, 6, seq, (x) => 1 + x) }),
  },
  crop: { options: { left: 2, top: 1, width: 4, height: 3 } },
  'estimate-depth': {
    options: () => ({ model: putModel(models, 'metres') }),
    frame: (seq) => imageFrame(8, 6, seq),
  },
  'estimate-stereo': {
    options: () => ({ model: putModel(models, 'pairs') }),
    frame: (seq) => stereoFrame(32, 24, seq),
  },
  'fill-holes': { options: {}, frame: holey },
  flip: { options: {} },
  'mask-edges': { options: {} },
  'measure-flicker': { options: {} },
  'point-cloud': { options: {} },
  register: {
    options: {},
    frame: (seq) => ({ ...depthFrame(8, 6, seq, (x) => 1 + x), picture: imageFrame(32, 24, seq) }),
  },
  resize: { options: { width: 8, height: 8 }, frame: (seq) => imageFrame(32, 18, seq) },
  sample: { options: { every: 3 } },
  'side-by-side': { options: {} },
  smooth: { options: {} },
  spatial: { options: {}, frame: holey },
  'take-eye': { options: {} },
  zones: { options: { zones: { all: { box: [0, 0, 1, 1], within: 1 } } } },
};

test('every operator is tested', () => {
  expect(Object.keys(subjects).sort()).toEqual(builtins.names('operator'));
});

for (const [name, subject] of Object.entries(subjects)) {
  const definition = builtins.get(name, 'operator') as OperatorDefinition;
  conformsAsOperator(definition, subject, { describe, test });
}
