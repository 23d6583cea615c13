import { defaultEngine, type EngineChoice } from './engines/choice.ts';
import type { Model } from './model-files.ts';
import type { SessionSettings } from './session-settings.ts';
import { readTuning, tuningKey } from './tuning-cache.ts';

export interface ChosenSettings {
  readonly workers: number;
  readonly threads: number;
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
  readonly providers: readonly string[];
  /** Ignore what `depthline tune` found. */
  readonly untuned?: boolean | undefined;
}

/** The user's options take precedence over what `depthline tune` found; the default is 1 of each. */
export function chooseSettings(
  model: Model,
  { engine = defaultEngine, workers, threads, providers, untuned }: AskedSettings,
  warn: (message: string) => void = () => {},
): ChosenSettings {
  const plainly = untuned || engine.name !== 'onnxruntime';
  const tuning = plainly ? undefined : readTuning(tuningKey(model.sha256, providers), warn);
  const plain = { workers: workers ?? 1, threads: threads ?? 1, path: model.path };
  if (!tuning) return plain;
  const { session, saved } = tuning;
  const chosen = {
    workers: workers ?? tuning.workers,
    threads: threads ?? tuning.threads,
    session,
    path: saved?.path ?? model.path,
  };
  const words = [
    count(chosen.workers, 'worker'),
    count(chosen.threads, 'thread'),
    ...(session.spinning ? [] : ['no spinning']),
    ...(session.arena ? [] : ['no arena']),
    ...(session.graph === 'all' ? [] : [`graph: ${session.graph}`]),
    ...(saved ? [`${saved.path}`] : []),
  ];
  return { ...chosen, tuned: words.join(', ') };
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
