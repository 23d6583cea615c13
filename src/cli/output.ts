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

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

let logsJson = false;

/** From now on `printLog` prints JSON objects, and so do warnings of Node.js. */
export function logAsJson(): void {
  logsJson = true;
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => printLog('warn', `${name}: ${message}`));
}

/**
 * Prints a message to standard error: as text, or as one JSON object in a line with `time` (ISO 8601,
 * UTC), `level`, `message` and the fields.
 */
export function printLog(level: LogLevel, message: string, fields: object = {}): void {
  if (logsJson) process.stderr.write(`${logText(level, message, fields)}\n`);
  else printError(level === 'warn' ? `warning: ${message}` : message);
}

/** The line of `printLog` as JSON. */
export function logText(level: LogLevel, message: string, fields: object = {}): string {
  return jsonText({ time: new Date().toISOString(), level, message, ...fields });
}

/** Whether `printLog` prints JSON objects. */
export function isLogJson(): boolean {
  return logsJson;
}

/** @param indent spaces per level; none: one line */
export function printJson(value: unknown, indent?: number): void {
  process.stdout.write(`${jsonText(value, indent)}\n`);
}

function jsonText(value: unknown, indent?: number): string {
  // JSON.stringify does not escape C1 controls and directional marks.
  return JSON.stringify(maskValues(value), null, indent).replace(/[^\n\P{C}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
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
    printLog('error', `cannot write to standard output: ${systemReason(error)}`);
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
