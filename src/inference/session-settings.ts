import type { InferenceSession } from 'onnxruntime-node';

/** What ONNX Runtime leaves to choose and what does not change the result. */
export interface SessionSettings {
  /** Threads that wait for their next share of a picture keep their processor busy meanwhile. */
  readonly spinning: boolean;
  /** One arena for the tensors of a run, and a plan of where in it each of them goes. */
  readonly arena: boolean;
  /** How far the graph is rewritten: `all` includes layouts for this processor. */
  readonly graph: 'all' | 'extended' | 'basic';
}

/** ONNX Runtime's own. */
export const defaultSettings: SessionSettings = { spinning: true, arena: true, graph: 'all' };

export function sessionOptions(
  { spinning, arena, graph }: SessionSettings,
  threads: number,
  providers: readonly string[],
): InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionProviders: [...providers],
    graphOptimizationLevel: graph,
    enableCpuMemArena: arena,
    enableMemPattern: arena,
    extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
    logSeverityLevel: 4,
  };
}
