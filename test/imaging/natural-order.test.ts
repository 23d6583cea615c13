import { expect, test } from 'vitest';
import { naturalOrder } from '../../src/imaging/natural-order.ts';
import { fc } from '../support/property.ts';

test.each([
  ['numbers', ['1.jpg', '2.jpg', '9.jpg', '10.jpg', '100.jpg']],
  ['numbers within a name', ['a2b.png', 'a10a.png', 'a10b.png', 'b1.png']],
  ['decimals', ['1.25.png', '1.5.png', '1.75.png', '2.png', '10.125.png']],
  [
    'time stamps of TUM',
    [
      '999.999999.png',
      '1305031102.075.png',
      '1305031102.175304.png',
      '1305031102.2.png',
      '1305031102.211214.png',
      '1305031103.png',
    ],
  ],
  [
    'nanoseconds, beyond the precision of a double',
    ['1305031102.175304122.png', '1305031102.175304123.png'],
  ],
  ['versions and dates are whole numbers', ['1.2.9.png', '1.2.10.png', '1.10.1.png']],
  ['dates', ['2026.01.15.png', '2026.01.16.png', '2026.2.1.png']],
  ['leading zeros', ['frame_008.png', 'frame_9.png', 'frame_010.png']],
])('%s', (_, sorted) => {
  expect([...sorted].reverse().sort(naturalOrder)).toEqual(sorted);
});

test('does not depend on the order in which files are found', () => {
  const part = fc.constantFrom('', 'a', 'b', '.', '-', '1', '01', '1.5', '1.50', '10', '2', '.3');
  const name = fc.array(part, { maxLength: 5 }).map((parts) => `${parts.join('')}.png`);
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      (names, order) => {
        const shuffled = names
          .map((one) => ({ one, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(shuffled.sort(naturalOrder)).toEqual([...names].sort(naturalOrder));
      },
    ),
  );
});
