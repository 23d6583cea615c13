import type { SessionSettings } from '../inference/session-settings.ts';

/** Settings that `tune` measures. */
export interface Candidate {
  /** The model's own file, or another precision of it. */
  readonly path: string;
  readonly workers: number;
  readonly threads: number;
  readonly session: SessionSettings;
  /** The command of a helper that runs it (`engine: process`), in place of ONNX Runtime here. */
  readonly helper?: readonly string[];
}

/** A candidate this far behind the leader is dropped. */
export const keepAbove = 0.85;
