import { expect, test } from 'vitest';
import { edgeErrors } from '../../src/evaluation/edge-errors.ts';
import { depthFrame } from '../support/frames.ts';

/** A vertical edge between columns `at - 1` and `at`. */
const edge = (at: number) => depthFrame(40, 20, 0, (x) => (x < at ? 1 : 2));

test('the same depth is off by nothing', () => {
  expect(edgeErrors(edge(20), edge(20))).toMatchObject({ distance: 0, missed: 0, rmse: 0 });
});

test('an edge that is three pixels away', () => {
  const errors = edgeErrors(edge(23), edge(20));
  expect(errors).toMatchObject({ edges: 20, distance: 3, missed: 0 });
  // Three of the nine columns around the edge are off by 1 m.
  expect(errors?.rmse).toBeCloseTo(Math.sqrt(3 / 9));
});

test('a ramp crosses the middle between pixels', () => {
  const ramp = depthFrame(40, 20, 0, (x) => 1 + Math.min(1, Math.max(0, (x - 17) / 4)));
  expect(edgeErrors(ramp, edge(20))?.distance).toBeCloseTo(0.5);
});

test('an edge that is not there, or falls the other way, is missed', () => {
  const flat = depthFrame(40, 20, 0, () => 1.2);
  expect(edgeErrors(flat, edge(20))).toMatchObject({ distance: 8, missed: 1 });
  const falls = depthFrame(40, 20, 0, (x) => (x < 20 ? 2 : 1));
  expect(edgeErrors(falls, edge(20))).toMatchObject({ missed: 1 });
});

test('what is invalid is left out', () => {
  const partly = depthFrame(40, 20, 0, (x, y) => (y < 10 ? 0 : x < 20 ? 1 : 2));
  expect(edgeErrors(partly, edge(20))).toMatchObject({ edges: 10, distance: 0, rmse: 0 });
  expect(edgeErrors(edge(20), depthFrame(40, 20))).toBeUndefined();
});
