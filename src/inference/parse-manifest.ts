import { parse } from 'yaml';

/** What only informs. */
const informing = /^(training|metrics):([ \t\r]|$)/;
/** A line of the key before it: indented, empty, an item or a comment. */
const belongs = /^([ \t\r#]|$|-[ \t\r]|-$)/;
const key = /^[A-Za-z_][\w-]*:([ \t\r]|$)/;

/**
 * The content of a manifest without what only informs, which is most of it and takes as long to parse as to start
 * a thread. Mistakes in that part are not found.
 */
export function parseManifest(text: string): unknown {
  const lines = text.split('\n');
  // In anything else than a mapping of one key a line, it is not known where that part ends.
  if (!lines.every((line) => belongs.test(line) || key.test(line))) return parse(text);
  let leaves = false;
  const kept = lines.filter((line) => {
    if (!belongs.test(line)) leaves = informing.test(line);
    return !leaves;
  });
  try {
    return parse(kept.join('\n'));
  } catch {
    // A part of it is needed elsewhere, or the mistake has to be told at its place.
    return parse(text);
  }
}
