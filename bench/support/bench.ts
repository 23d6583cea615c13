import type { Measured } from '../../src/benchmark/statistics.ts';

export interface BenchOptions {
  /** Repetitions, interleaved where two things are compared. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Before it, until code is compiled and buffers are made. */
  readonly warmUp: number;
  readonly model: string;
  /** Of the parts of a benchmark, those that have this in their names. */
  readonly only: string;
  /** Folder with rgb/ and depth/. */
  readonly rgbd?: string;
}

/** Gives one line of the table. */
export type Print = (what: string, unit: string, value: Measured) => void;

export interface Bench {
  readonly name: string;
  readonly summary: string;
  run(options: BenchOptions, print: Print): Promise<void>;
}
