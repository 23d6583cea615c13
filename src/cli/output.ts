import { getSystemErrorMap } from 'node:util';
import { visible } from '../core/printable.ts';
import { maskValues } from '../core/secrets.ts';

/**
 * Prints to standard output. All output of the commands goes through this file: file names, model
 * names and answers of servers may contain terminal escape sequences.
 */
export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** Prints to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${visible(text)}\n`);
}

/** @param indent spaces per level; none: one line */
export function printJson(value: unknown, indent?: number): void {
  // JSON.stringify does not escape C1 controls and directional marks.
  const text = JSON.stringify(maskValues(value), null, indent).replace(
    /[^\n\P{C}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
      ).join(''),
  );
  process.stdout.write(`${text}\n`);
}

/** Replaces the last line of a terminal. */
export function rewriteLine(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`\r\x1b[2K${visible(text)}`);
}

let readerGone: () => void = () => process.exit();

/** Sets what happens, instead of an exit, when the reader of the output closes it (`… | head`). */
export function onReaderGone(handle: () => void): void {
  readerGone = handle;
}

/** Handles errors of standard output and standard error. */
export function watchStreams(): void {
  let failed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      readerGone();
      return;
    }
    if (failed) return;
    failed = true;
    printError(`cannot write to standard output: ${systemReason(error)}`);
    process.once('exit', () => {
      process.exitCode ||= 1;
    });
  });
  // A command does not depend on the reader of its messages.
  process.stderr.on('error', () => {});
}

function systemReason({ errno, message }: NodeJS.ErrnoException): string {
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
