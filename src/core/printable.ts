const longestWord = 300;
const longestText = 1500;

/** A message that repeats what somebody wrote: on a screen it must neither fill it nor steer it. */
export function readable(message: string): string {
  const text = message
    .replace(/[^\n\P{C}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(/\S{301,}/g, (word) => `${word.slice(0, longestWord)}…`);
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}
