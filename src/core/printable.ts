import { mask } from './secrets.ts';

const longestWord = 300;
const longestText = 1500;

/**
 * `text` without secrets, and with control and format characters, except newline and tab, written
 * as code points.
 */
export function visible(text: string): string {
  return mask(text).replace(/[^\n\t\P{C}]/gu, codePoint);
}

/** A message that quotes user input: without secrets and control characters, and shortened. */
export function readable(message: string): string {
  // Masked before it is cut: half a secret would not be recognised.
  const text = mask(message)
    .replace(/[^\n\P{C}]/gu, codePoint)
    .replace(/\S{301,}/g, (word) => `${word.slice(0, longestWord)}…`);
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

const longestName = 100;

/**
 * A name that somebody else gave, as one word of a message: in quotes, with escapes, if it is empty or
 * has spaces, line ends or control characters; shortened.
 */
export function nameInText(name: string): string {
  const whole = mask(name);
  const short = whole.length > longestName ? `${whole.slice(0, longestName)}…` : whole;
  return /^[^\s\p{C}]+$/u.test(short) ? short : JSON.stringify(short);
}

function codePoint(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
