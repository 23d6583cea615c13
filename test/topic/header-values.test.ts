import { expect, it } from 'vitest';
import {
  isCount,
  isIntrinsics,
  isModel,
  isName,
  isNanoseconds,
  isRange,
  isView,
} from '../../src/topic/header-values.ts';

const k = { fx: 1, fy: 1, cx: 0, cy: 0 };
const view = { left: 0, top: 0, width: 4, height: 3, source: { width: 4, height: 3 } };
const model = { name: 'm', sha256: 'ab' };

/** Each check with values that it accepts and values that it does not. */
const checks: Record<string, [(value: unknown) => boolean, unknown[], unknown[]]> = {
  count: [isCount, [0, 1, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, Number.NaN, '1', 1n, null, undefined]],
  name: [isName, ['a', 'a'.repeat(1024)], ['', 'a'.repeat(1025), 5, null, undefined, ['a']]],
  nanoseconds: [
    isNanoseconds,
    ['0', '12', '9223372036854775807'],
    ['9223372036854775808', '-1', '', '1.5', '0x1', ' 1', '1'.repeat(20), 5, null],
  ],
  range: [
    isRange,
    [
      [0, 1],
      [0.5, 80],
    ],
    [[1, 1], [2, 1], [-1, 1], [0], [0, 1, 2], [0, Number.NaN], [Number.NaN, 1], ['0', 1], null],
  ],
  intrinsics: [
    isIntrinsics,
    [k, { fx: 1e9, fy: 1e9, cx: -1e9, cy: 1e9 }],
    [
      ...[null, undefined, 5, 'k', {}],
      ...[
        { ...k, fx: 0 },
        { ...k, fy: 0 },
        { ...k, fx: -1 },
        { ...k, fy: -1 },
      ],
      ...[
        { ...k, fx: 1.1e9 },
        { ...k, cx: -1.1e9 },
        { ...k, cy: Number.NaN },
        { ...k, cy: '0' },
      ],
    ],
  ],
  view: [
    isView,
    [
      view,
      { ...view, left: -5.5, flip: 'both', shown: { left: 0, top: 0, width: 1, height: 1 } },
      { ...view, source: { width: 1e9, height: 1 }, width: 0.5, height: 1e9 },
    ],
    [
      ...[null, undefined, 5, 'view', {}],
      ...[
        { ...view, width: 0 },
        { ...view, height: 0 },
        { ...view, height: -1 },
      ],
      ...[
        { ...view, left: -1.1e9 },
        { ...view, top: Number.NaN },
        { ...view, width: '4' },
      ],
      ...[
        { ...view, source: null },
        { ...view, source: undefined },
        { ...view, source: 5 },
      ],
      { ...view, source: { width: 0, height: 3 } },
      { ...view, source: { width: 4, height: 0 } },
      { ...view, source: { width: 4, height: 1e9 + 1 } },
      { ...view, source: { width: 4.5, height: 3 } },
      ...[
        { ...view, flip: 'diagonal' },
        { ...view, flip: null },
      ],
      ...[
        { ...view, shown: null },
        { ...view, shown: { ...view, width: 0 } },
      ],
      // The rectangle itself is missing.
      { source: view.source },
    ],
  ],
  model: [
    isModel,
    [model, { name: '', sha256: '' }],
    [null, undefined, 5, 'm', { name: 'm' }, { sha256: 'ab' }, { ...model, name: 5 }],
  ],
};

it.each(Object.entries(checks))('%s: takes what it should, and nothing else', (_, check) => {
  const [accepts, good, bad] = check;
  for (const value of good) expect([value, accepts(value)]).toEqual([value, true]);
  for (const value of bad) expect([value, accepts(value)]).toEqual([value, false]);
});
