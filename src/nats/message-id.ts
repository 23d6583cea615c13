import { randomBytes } from 'node:crypto';
import type { Frame } from '../core/frame.ts';

/** Another run, or another sink of it, has another. */
export function newRun(): string {
  return randomBytes(8).toString('hex');
}

/**
 * `run-seq`. What is computed from a frame that came from a stream has an id that follows from the
 * frame's, so that two workers that had the same frame give the same.
 */
export function messageId(frame: Frame, run: string, subject: string): string {
  return frame.origin ? `${frame.origin.id}/${subject}` : `${run}-${frame.seq}`;
}

/** Run and number of the frame that the message began as; undefined for ids of others. */
export function parseMessageId(id: string | undefined): { run: string; seq: number } | undefined {
  const [, run, seq] = /^([^-/]{1,64})-(\d{1,15})(?:\/|$)/.exec(id ?? '') ?? [];
  return run === undefined ? undefined : { run, seq: Number(seq) };
}

const camera = '{camera}';

/** A subject may name the camera that a frame came from; undefined if that is not known. */
export function subjectOf(template: string, frame: Frame): string | undefined {
  if (!template.includes(camera)) return template;
  const name = frame.origin?.camera ?? frame.camera;
  return name === undefined ? undefined : template.replaceAll(camera, () => name);
}

/** The template as a subject that matches all of its cameras. */
export function subjectPattern(template: string): string {
  return template.replaceAll(camera, '*');
}
