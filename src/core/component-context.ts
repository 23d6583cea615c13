import type { StreamReader } from './capture-stream.ts';
import type { Clock } from './clock.ts';
import type { Fusion } from './fusion.ts';
import type { Gate } from './gate.ts';
import type { LiveOptions } from './live-options.ts';
import type { QueueOptions } from './queue-options.ts';
import type { RunStats } from './run-stats.ts';
import type { Size } from './size.ts';

/**
 * Messages for people; the run decides where they go and puts the component’s name in front. A logger
 * that is given to a run gets that name as `component`, too; components leave it out.
 */
export interface Logger {
  debug(message: string, component?: string): void;
  info(message: string, component?: string): void;
  warn(message: string, component?: string): void;
}

/** What a component gets from the pipeline it runs in. */
export interface ComponentContext {
  /** The component's name, as in the pipeline file. */
  readonly name: string;
  /** Its place, for messages: `operators[1] estimate-depth`. */
  readonly path: string;
  /** Aborts when the pipeline must stop at once. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  /** A source waits for `gate.opened(signal)` before it asks for each next frame. */
  readonly gate: Gate;
  /** The queue before an asynchronous stage, as the pipeline file sets it. */
  readonly queue: QueueOptions;
  /**
   * Registers what takes changed options while it runs (see `adjustable`): all options, checked. It is
   * called between two frames, and returns at once.
   */
  onAdjust<Options>(take: (options: Options) => void): void;
  /** Registers what takes a changed `queue` while it runs. Returns a function that unregisters it. */
  onQueue(take: (queue: QueueOptions) => void): () => void;
  /** Operators that a source must carry out itself, in its launch line (see `fuse`). */
  readonly fused: readonly Fusion[];
  /**
   * For a source with a capture process, once everything is built: what reads its frames, if the operator
   * behind it does.
   */
  reader?(): StreamReader | undefined;
  /**
   * For an operator right behind a source with a capture process, whose pictures arrive as it `requires`
   * them: it may read them itself (`withReader`).
   */
  readonly direct?: DirectUse | undefined;
  /** Base directory of relative paths in options. */
  readonly baseDirectory: string;
  /** Counts `n` frames that this stage dropped. */
  dropped(n: number, reason: string): void;
  /** Counts `n` frames that this stage failed on. */
  failed(n: number): void;
  /**
   * Takes back `n` frames that a sink has delivered: what they were written to is lost. They count
   * as failed.
   */
  undelivered(n: number): void;
  /** Frames inside an asynchronous stage now, and those of them in its queue (`mapAsync` keeps it). */
  inFlight(n: number, queued?: number): void;
  /** For an operator that knows once it is open what size all its frames have. */
  gives(size: Size): void;
  /** Counts a restart of this component's child process or worker. */
  restarted(reason: string): void;
  /**
   * Reports that a source has lost its connection and is reconnecting. `since`: nanoseconds since the
   * Unix epoch; undefined once it is connected again.
   */
  reconnecting(since: bigint | undefined): void;
  /** Registers a cleanup; cleanups run once, in reverse order, and are awaited. */
  defer(cleanup: () => void | Promise<void>): void;
  /** Adds to the run's summary; called once, after the last frame and before the cleanups. */
  summary(report: () => Record<string, unknown>): void;
  /**
   * What the whole run has counted so far, and the state of every stage, for a component that shows
   * it. A call costs little, but is not for every frame. Before the source has started, `stages` is
   * empty.
   */
  runStats(): RunStats;
  /** Options of the run's components that can change while it runs, for a component that offers them. */
  readonly live: LiveOptions;
  /**
   * Of a `shared` sink: names of the cameras whose frames it takes; of what is opened for all (`share`): of all
   * cameras. Undefined in a run of one source.
   */
  readonly cameras?: readonly string[] | undefined;
  /**
   * What the component uses together with its likes of the other cameras of the run: whoever asks first
   * for `key` opens it, with the context of the run, and it is closed when the run has ended. In a run of
   * one source it is the component's own.
   */
  share<T>(key: string, open: (context: SharedContext) => Promise<T>): Promise<T>;
}

/** What is opened for all cameras of a run is given: the context of the run, not that of a camera. */
export type SharedContext = Pick<
  ComponentContext,
  | 'name'
  | 'signal'
  | 'clock'
  | 'log'
  | 'baseDirectory'
  | 'defer'
  | 'restarted'
  | 'summary'
  | 'cameras'
>;

/** How an operator that reads the frames of its source itself stands in the pipeline. */
export interface DirectUse {
  /** Whether anything behind it looks at the picture beside depth. */
  readonly pictureUsed: boolean;
}
