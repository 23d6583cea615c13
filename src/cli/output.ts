import { getSystemErrorMap } from 'node:util';
import { visible } from '../core/printable.ts';

/**
 * Everything that the commands print goes through here: file names, model names and what servers
 * answer may hold sequences that steer a terminal.
 */
export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** A line, or several, on standard error. */
export function printError(text: string): void {
  process.stderr.write(`${visible(text)}\n`);
}

/** @param indent spaces per level; none: one line */
export function printJson(value: unknown, indent?: number): void {
  // JSON.stringify leaves C1 controls and marks of direction as they are.
  const text = JSON.stringify(value, null, indent).replace(/[^\n\P{C}]/gu, (character) =>
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

/** What a command does, instead of exiting, when nobody reads its output any more (`… | head`). */
export function onReaderGone(handle: () => void): void {
  readerGone = handle;
}

/** Decides what becomes of a command whose output cannot be written. */
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
  // Without a reader there is nobody to tell; what the command does goes on.
  process.stderr.on('error', () => {});
}

function systemReason({ errno, message }: NodeJS.ErrnoException): string {
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
