import type { InferenceSession } from 'onnxruntime-node';

/** Options of ONNX Runtime that do not change the result. */
export interface SessionSettings {
  /** Threads spin while they wait for work. */
  readonly spinning: boolean;
  /** One memory arena for the tensors of a run. */
  readonly arena: boolean;
  /** How far the graph is rewritten: `all` includes layouts for this processor. */
  readonly graph: 'all' | 'extended' | 'basic';
}

/** ONNX Runtime's defaults. */
export const defaultSettings: SessionSettings = { spinning: true, arena: true, graph: 'all' };

export function sessionOptions(
  { spinning, arena, graph }: SessionSettings,
  threads: number,
  providers: readonly InferenceSession.ExecutionProviderConfig[],
): InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionProviders: [...providers],
    graphOptimizationLevel: graph,
    enableCpuMemArena: arena,
    // Planned places would be memory of their own beside the arena: 12 MiB with FastDepth, and not faster.
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
    logSeverityLevel: 4,
  };
}
