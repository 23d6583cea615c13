// node compare.mjs FOLDER FOLDER MOST: NumPy files of the same names differ by at most MOST metres.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [ours, theirs, most] = process.argv.slice(2);
const names = readdirSync(ours).filter((name) => name.endsWith('.npy'));
if (names.length === 0) throw new Error(`${ours} has no depth`);

function values(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
  );
}

let largest = 0;
let equal = 0;
let count = 0;
for (const name of names) {
  const [a, b] = [values(join(ours, name)), values(join(theirs, name))];
  if (a.length !== b.length || a.length === 0) throw new Error(`${name} has another size`);
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
    if (difference === 0) equal++;
  }
  count += a.length;
}
const share = ((100 * equal) / count).toFixed(1);
console.log(
  `depth of ${names.length} pictures: largest difference ${largest.toExponential(2)} m, ${share} % of the pixels equal`,
);
if (!(largest <= Number(most))) {
  console.error(`more than ${most} m`);
  process.exit(1);
}
