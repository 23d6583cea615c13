import { expect, test } from 'vitest';
import { legendLabels } from '../../src/imaging/depth-legend.ts';
import { renderText } from '../../src/imaging/text.ts';

test('labels are round numbers of metres within the range', () => {
  expect(legendLabels({ min: 0.98, max: 3.04 }, 'm').map(({ text }) => text)).toEqual([
    '1.0',
    '1.5',
    '2.0',
    '2.5',
    '3.0',
  ]);
  expect(legendLabels({ min: 0, max: 10 }, undefined)[1]).toEqual({ share: 0.2, text: '2' });
});

test('relative depth has no numbers', () => {
  const labels = legendLabels({ min: 0.2, max: 7 }, 'relative').map(({ text }) => text);
  expect(labels).toEqual(['far', 'near']);
});

test('text is rendered without fonts of the system, whatever it holds', async () => {
  const plain = await renderText('1.5', 14);
  expect(plain.data.some((ink) => ink > 200)).toBe(true);
  const longer = await renderText('<b>1.5 & 2', 14);
  expect(longer.width).toBeGreaterThan(plain.width);
  expect(await renderText('1.5', 14)).toBe(plain);
});
