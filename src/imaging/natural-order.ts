/**
 * A number of a name. Decimals count as such (`1305031102.175304`, the time stamps of TUM), unless
 * further numbers follow as in a version or a date (`1.2.10`, `2026.01.15`): those are whole ones.
 */
const number = /(?<![\d]|\d\.)\d+\.\d+(?!\.?\d)|\d+/g;

/**
 * Order of file names in which numbers compare by their value: 2 before 10, 1.25 before 1.5. Exact
 * for numbers of any length.
 */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareParts(left[i] as string, right[i] as string);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Made when it is needed, which takes 5 ms. */
let collator: Intl.Collator | undefined;

function compareText(a: string, b: string): number {
  collator ??= new Intl.Collator('en');
  return collator.compare(a, b);
}

const isNumber = (part: string) => /^\d/.test(part);

/** Text and numbers in turn, beginning with text that may be empty. */
function partsOf(name: string): string[] {
  // The ending takes no part: `1.mp4` is the number 1.
  const stem = name.replace(/\.[A-Za-z][A-Za-z0-9]*$/, '');
  const parts: string[] = [];
  let end = 0;
  for (const match of stem.matchAll(number)) {
    parts.push(stem.slice(end, match.index), match[0]);
    end = match.index + match[0].length;
  }
  return [...parts, stem.slice(end)];
}

function compareParts(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  return compareText(a, b);
}

function compareNumbers(a: string, b: string): number {
  const [[wholeA = '', fractionA = ''], [wholeB = '', fractionB = '']] = [
    a.split('.'),
    b.split('.'),
  ];
  const [shortA, shortB] = [wholeA.replace(/^0+/, ''), wholeB.replace(/^0+/, '')];
  return (
    shortA.length - shortB.length ||
    compareDigits(shortA, shortB) ||
    compareDigits(fractionA.replace(/0+$/, ''), fractionB.replace(/0+$/, ''))
  );
}

function compareDigits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
