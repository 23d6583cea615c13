/** Names of the engines, as in a pipeline file. */
export const engineNames = ['onnxruntime', 'process'] as const;
export type EngineName = (typeof engineNames)[number];

/** ONNX Runtime in the inference thread. */
export interface OnnxRuntimeChoice {
  readonly name: 'onnxruntime';
}

/** A helper process that runs the network (docs/engine-protocol.md). */
export interface ProcessChoice {
  readonly name: 'process';
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Longest time for one picture, milliseconds. */
  readonly deadlineMs: number;
  /** Longest time without a sign of life while the network is loaded, milliseconds. */
  readonly startWithinMs: number;
}

/** Which engine runs the network, with its settings. */
export type EngineChoice = OnnxRuntimeChoice | ProcessChoice;

export const defaultEngine: EngineChoice = { name: 'onnxruntime' };
