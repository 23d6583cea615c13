import { expect, it } from 'vitest';
import { columns, parseRows } from '../../src/files/index-rows.ts';

const rows = (...lines: string[]) => parseRows([columns, ...lines].join('\n'));
const latest = 2n ** 63n - 1n;

it('leaves out rows whose numbers no frame can have', () => {
  expect(rows(`9007199254740991,${latest},${latest},a.png,,m,,`)).toEqual([
    { seq: 2 ** 53 - 1, pts: latest, capturedAt: latest, files: ['a.png'], unit: 'm' },
  ]);
  for (const [seq, pts, capturedAt] of [
    ['9007199254740992', '0', '0'],
    ['0', `${latest + 1n}`, '0'],
    ['0', '0', `${latest + 1n}`],
    ['-1', '0', '0'],
    ['0', '-1', '0'],
    ['1.5', '0', '0'],
    ['1e3', '0', '0'],
  ]) {
    expect(rows(`${seq},${pts},${capturedAt},a.png,,m,,`)).toEqual([]);
  }
});
