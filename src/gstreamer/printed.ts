import { readable } from '../core/printable.ts';
import { mask } from '../core/secrets.ts';

/** Longest text that is quoted. */
const mostCharacters = 400;
/** Lines that give a reason, or the end of a run without a reason. */
const mostLines = 2;

const complains =
  /error|fail|invalid|unable|unsupported|not (?:supported|available|found)|no cameras?|greater than|exceed|denied|time(?:d )?out|disconnect/i;
/** Progress that Argus reports although it says "success", and its list of modes. */
const progress = /^(?:GST_ARGUS|CONSUMER|ARGUS_ERROR: 0)\b(?!.*(?:error|fail|invalid))/i;

/** `Error generated. /dvs/…/gstnvarguscamerasrc.cpp, execute:532 Frame Rate…` without its place in a source file. */
const place =
  /^(?:\(?Argus\)? ?)?(?:Error generated\. ?)?\S*\.(?:c|cc|cpp|h)[,:] ?\w+(?:\(\))?:\d+:? /i;

/** The complaints at the end of what elements printed to stdout, in brackets, or nothing. */
export function lastPrinted(printed: string): string {
  const lines = printed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => complains.test(line) && !progress.test(line))
    .map((line) => line.replace(place, ''));
  // Masked before it is cut: half a secret would not be recognised.
  const last = mask([...new Set(lines)].slice(-mostLines).join('; '));
  if (last === '') return '';
  return ` [${readable(last.length > mostCharacters ? `${last.slice(0, mostCharacters)}…` : last)}]`;
}
