import { defaultEngine, type EngineChoice } from './engines/choice.ts';
import type { Model } from './model-files.ts';
import type { SessionSettings } from './session-settings.ts';
import { isTuned, mostBatch, readTuning, type Tuning, tuningKey } from './tuning-cache.ts';

export interface ChosenSettings {
  readonly workers: number;
  readonly threads: number;
  /** Most pictures in one call. */
  readonly batch: number;
  readonly session?: SessionSettings;
  /** The file to load in place of the model's own. */
  readonly path: string;
  /** What `depthline tune` chose, in words; undefined if it has not run. */
  readonly tuned?: string;
}

export interface AskedSettings {
  /** Only what ONNX Runtime runs is tuned. Default: that. */
  readonly engine?: EngineChoice | undefined;
  readonly workers?: number | undefined;
  readonly threads?: number | undefined;
  readonly batch?: number | undefined;
  /** Cameras that use the model: a call has no more pictures than they are. */
  readonly cameras?: number | undefined;
  readonly providers: readonly string[];
  /** Ignore what `depthline tune` found. */
  readonly untuned?: boolean | undefined;
}

/** The user's options take precedence over what `depthline tune` found; the default is 1 of each. */
export function chooseSettings(
  model: Model,
  asked: AskedSettings,
  warn: (message: string) => void = () => {},
): ChosenSettings {
  const { engine = defaultEngine, workers, threads, providers, untuned } = asked;
  const mostTogether = asked.cameras ?? mostBatch;
  const plainly = untuned || engine.name !== 'onnxruntime';
  const tuning =
    plainly || !isTuned() ? undefined : readTuning(tuningKey(model.sha256, providers), warn);
  const plain = {
    workers: workers ?? 1,
    threads: threads ?? 1,
    batch: Math.min(asked.batch ?? 1, mostTogether),
    path: model.path,
  };
  if (!tuning) return plain;
  const { session, saved } = tuning;
  const best = found(tuning, asked);
  const chosen = {
    workers: workers ?? best.workers,
    threads: threads ?? best.threads,
    batch: Math.min(asked.batch ?? best.size, mostTogether),
    session,
    path: saved?.path ?? model.path,
  };
  const words = [
    count(chosen.workers, 'worker'),
    count(chosen.threads, 'thread'),
    ...(chosen.batch > 1 ? [`up to ${chosen.batch} pictures in a call`] : []),
    ...(session.spinning ? [] : ['no spinning']),
    ...(session.arena ? [] : ['no arena']),
    ...(session.graph === 'all' ? [] : [`graph: ${session.graph}`]),
    ...(saved ? [`${saved.path}`] : []),
  ];
  return { ...chosen, tuned: words.join(', ') };
}

/** What was found for this many cameras. */
function found(
  { batch, workers, threads }: Tuning,
  { cameras = 1, batch: asked, ...own }: AskedSettings,
): { readonly size: number; readonly workers: number; readonly threads: number } {
  const one = { size: 1, workers, threads };
  // It was measured with its own workers and threads.
  const free = own.workers === undefined && own.threads === undefined && asked !== 1;
  return batch && cameras > 1 && free ? batch : one;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
