import type { Observable, OperatorFunction } from 'rxjs';
import type { z } from 'zod';
import type { StreamReader } from './capture-stream.ts';
import type { Clock } from './clock.ts';
import type { DepthUnit, Frame, FrameKind, View } from './frame.ts';
import type { Fusion } from './fusion.ts';
import type { Gate } from './gate.ts';
import type { LiveOptions } from './live-options.ts';
import type { ValueProblem } from './option-problems.ts';
import type { QueueOptions } from './queue-options.ts';
import type { RunStats } from './run-stats.ts';
import type { Size } from './size.ts';

/** What a component is in a pipeline. */
export type Role = 'source' | 'operator' | 'sink';

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

/** A file or folder that a component uses. */
export interface PathUse {
  /** Absolute path. */
  readonly path: string;
  /** The file itself, or files that are directly in the folder. */
  readonly as: 'file' | 'folder';
  /** The option that names it. */
  readonly option: string;
  /** Folders below it too. */
  readonly deep?: boolean;
  /**
   * Names of the files that are read in a folder, default: any; for a sink, names of existing files
   * that it replaces, default: none.
   */
  readonly names?: RegExp;
  /** Some of the names that are written in a folder, one of each kind. */
  readonly samples?: readonly string[];
}

/** What two components of a run cannot both have: a device, a port, a topic. */
export interface Claim {
  /** What it is, for a message, and with which others it is compared: `port 8080`. */
  readonly what: string;
  /** Where it is, if the same name elsewhere is another thing: the address of a server. */
  readonly at?: string;
  /** The option that names it. */
  readonly option: string;
  /** Components of one camera may share it: they publish different things under one name. */
  readonly perCamera?: true;
}

/** What is known before a run of the frames at one place of the pipeline; what is absent is unknown. */
export interface FrameFacts {
  readonly kinds?: readonly FrameKind[] | undefined;
  /** Unit of depth. */
  readonly unit?: DepthUnit | undefined;
  /** Whether the frames carry the camera's intrinsics. */
  readonly intrinsics?: boolean | undefined;
  /** Whether pairs carry the distance between their lenses. */
  readonly baseline?: boolean | undefined;
}

/** What a component is checked with, before anything is opened. */
export interface CheckContext {
  /** Base directory of relative paths in options. */
  readonly baseDirectory: string;
  /** The frames that reach the component; nothing for a source. */
  readonly arriving: FrameFacts;
  /** Also check what takes seconds (loading a model): no run follows that would report it at its start. */
  readonly thorough: boolean;
}

interface ComponentBase<Schema extends z.ZodType> {
  /** File name = YAML name. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** Strict schema; every option has a description and, where there is one, a unit. */
  readonly options: Schema;
  /** Option values as they stand in a pipeline file; a test checks that each validates. */
  readonly examples: readonly z.input<Schema>[];
  /**
   * Options that can change while the component runs; `create` registers with `context.onAdjust` what
   * takes them. A change of any other option needs a restart.
   */
  readonly adjustable?: readonly string[];
  /** Files that a run reads, and folders in which it reads files. */
  reads?(options: z.output<Schema>, baseDirectory: string): readonly PathUse[];
  /** Files that a run writes, and folders in which it writes files. None may be read in that run. */
  writes?(options: z.output<Schema>, baseDirectory: string): readonly PathUse[];
  /** What no other component of the run can have at the same time. */
  claims?(options: z.output<Schema>): readonly Claim[];
  /** Valid but probably unintended settings, for `check`; the component logs them too. */
  warnings?(options: z.output<Schema>, baseDirectory: string): readonly string[];
  /** False if it never looks at the picture beside depth; it passes it on if there is one. Default: true. */
  usesPicture?(options: z.output<Schema>): boolean;
  /**
   * What the schema cannot see and a run would fail on: a missing model, a format that cannot hold the
   * frames. Opens nothing that stays open. Paths of problems start at the options.
   */
  check?(
    options: z.output<Schema>,
    context: CheckContext,
  ): readonly ValueProblem[] | Promise<readonly ValueProblem[]>;
}

// A method's parameter is bivariant, so that components of any options fit one list.
type OfOptions<Options, Result> = { call(options: Options): Result }['call'];

/** What a depth frame may carry beside its depth, and only some operators make. */
export type FramePart = 'picture';

/** Frame kinds that come out: fixed, the same as came in, or a function of the options. */
export type Emits<Options> =
  | readonly FrameKind[]
  | 'same'
  | OfOptions<Options, readonly FrameKind[]>;

/** A source: emits frames. */
export interface SourceDefinition<Schema extends z.ZodType = z.ZodType>
  extends ComponentBase<Schema> {
  readonly role: 'source';
  readonly emits: Emits<z.output<Schema>>;
  /** True for a camera: frames that are not requested in time are lost. */
  readonly live?: boolean | OfOptions<z.output<Schema>, boolean>;
  /**
   * Options that name other sources, which this one reads: written like any source in a pipeline file, and
   * checked like one. `create` and the other functions get each as a NestedSource.
   */
  readonly nested?: readonly string[];
  /** True if the source can carry out fused operators in its GStreamer launch line. */
  readonly fuses?: boolean | OfOptions<z.output<Schema>, boolean>;
  /** What is known of its frames, besides their kind. */
  facts?(options: z.output<Schema>): FrameFacts;
  /**
   * Size of its pictures before any fusion, where the options decide it, and perhaps what is fused; for
   * `plan`.
   */
  pictureSize?(options: z.output<Schema>, fused: readonly Fusion[]): Size | undefined;
  /** The resolved launch line, for `plan`; GStreamer sources only. */
  launchLine?(options: z.output<Schema>, context: PlanContext): string | Promise<string>;
  create(options: z.output<Schema>, context: ComponentContext): Promise<Observable<Frame>>;
}

/** An operator: transforms frames. */
export interface OperatorDefinition<Schema extends z.ZodType = z.ZodType>
  extends ComponentBase<Schema> {
  readonly role: 'operator';
  readonly accepts: readonly FrameKind[];
  readonly emits: Emits<z.output<Schema>>;
  /** True if the operator works asynchronously and so stands behind a queue of its own. */
  readonly queued?: boolean;
  /** What is known of the frames that come out, where that differs from those that arrive. */
  facts?(options: z.output<Schema>, context: CheckContext): FrameFacts | Promise<FrameFacts>;
  /** True if its frames have the size of those that it makes them of. */
  readonly keepsSize?: boolean;
  /** True if the operator selects frames by their time alone; timing tests then run it unchanged. */
  readonly picks?: boolean;
  /**
   * What GStreamer would have to do in this operator's place. When the operator stands directly
   * behind a source that `fuses`, that happens and `create` is not called.
   */
  fuse?(options: z.output<Schema>): Fusion | undefined;
  /**
   * The picture that the operator wants: when no `resize` stands before it and the source fuses,
   * the launch line delivers it so.
   */
  requires?(options: z.output<Schema>, context: PlanContext): Promise<Fusion | undefined>;
  /** True if the operator wants the source's own picture, and makes of it what it `requires` itself. */
  wantsWhole?(options: z.output<Schema>): boolean;
  /** Parts that it adds to its frames. */
  adds?(options: z.output<Schema>): readonly FramePart[];
  /** Parts that its frames must have, and what to do where one is missing. */
  needs?(options: z.output<Schema>): Partial<Readonly<Record<FramePart, string>>>;
  /**
   * How many frames the operator works on at the same time, in a pipeline with these options on this
   * machine; timing tests simulate as many. Default: one.
   */
  concurrency?(options: z.output<Schema>, context: QueuedPlanContext): Promise<Concurrency>;
  /** The network that the operator runs; `bench` also measures it alone. */
  network?(options: z.output<Schema>, context: PlanContext): Promise<NetworkUse>;
  /** Facts for `plan`: what a model expects, threads, workers, memory. */
  plan?(options: z.output<Schema>, context: PlanContext): Promise<Record<string, unknown>>;
  create(
    options: z.output<Schema>,
    context: ComponentContext,
  ): Promise<OperatorFunction<Frame, Frame>>;
}

/** Frames that will come to a sink, as far as that is known before the first. */
export interface ExpectedFrames {
  /** They may be of these kinds. */
  readonly kinds: readonly FrameKind[];
  /** Of all of them. */
  readonly size: Size | undefined;
}

/** An open sink. Closing is registered with `context.defer`. */
export interface Sink {
  /** Called once, when all components are open; throws if none of these frames can ever be written. */
  expect?(frames: ExpectedFrames): void;
  /** Called for one frame at a time; resolves when the frame is delivered. */
  write(frame: Frame): void | Promise<void>;
  /**
   * Whether the sink has an audience: emits at subscription and at every change. While no sink wants
   * frames, the source is held and nothing is captured or computed. Default: always wanted.
   */
  readonly wanted?: Observable<boolean>;
  /** Of a `shared` sink that has an audience for single cameras: in place of `wanted`, for one of them. */
  wantedOf?(camera: string): Observable<boolean>;
  /**
   * True if the sink itself calls `giveReceipt` for each frame, once it is safe: that may be later than
   * `write` resolves.
   */
  readonly confirms?: boolean;
}

/** A sink: receives frames. */
export interface SinkDefinition<Schema extends z.ZodType = z.ZodType>
  extends ComponentBase<Schema> {
  readonly role: 'sink';
  readonly accepts: readonly FrameKind[];
  /**
   * True if one sink takes the frames of all cameras of a run, each with the name of its `camera`; its
   * options are not `adjustable`, and a frame is delivered when `write` has resolved. Default: each
   * camera has a sink of its own, and `{camera}` in the options is the camera's name.
   */
  readonly shared?: boolean;
  /**
   * A sink that cannot work here may say so before the run (a display on a headless machine):
   * `undefined` means that its branch is left out, with the message it logged.
   */
  create(options: z.output<Schema>, context: ComponentContext): Promise<Sink | undefined>;
}

/** What is known of a component’s place before the run. */
export interface PlanContext {
  readonly fused: readonly Fusion[];
  readonly baseDirectory: string;
  /** The pictures that come to an operator, for `plan`; missing where they are not known. */
  readonly picture?: Size & { readonly view: View };
}

/** The same, for an operator with a queue. */
export interface QueuedPlanContext extends PlanContext {
  /** The queue in front of the operator. */
  readonly queue: QueueOptions;
}

/** How many frames an operator works on at a time. */
export interface Concurrency {
  /** Frames that are worked on at the same time. */
  readonly workers: number;
  /** Further frames taken from the queue, so that a worker that becomes free need not wait. */
  readonly ahead: number;
}

/** A network as an operator runs it. */
export interface NetworkUse {
  /** Its name, or the path of its file, as in the pipeline. */
  readonly model: string;
  /** The file that is loaded. */
  readonly path: string;
  readonly workers: number;
  /** Threads of each worker. */
  readonly threads: number;
  /** What runs it; only `inference/` knows what is in it. */
  readonly engine?: object;
  /** Execution providers, best first. */
  readonly providers: readonly string[];
  /** Settings of the library that runs it; only `inference/` knows what is in them. */
  readonly session?: object;
}

/** A component of any role. */
export type Definition = SourceDefinition | OperatorDefinition | SinkDefinition;

/** A component with its options, ready to stand in a pipeline composed in code. */
export interface Use<Role extends Definition['role'] = Definition['role']> {
  readonly role: Role;
  readonly definition: Definition & { readonly role: Role };
  readonly options: unknown;
}

/**
 * A component: its definition, and a function from options to its place in a pipeline.
 * `resize({ width: 224, height: 224 })` in code is `- resize: { width: 224, height: 224 }` in YAML.
 */
export type Component<D, Schema extends z.ZodType, R extends Role> = D &
  ((options?: z.input<Schema>) => Use<R>);

// Function.name is read-only by assignment, so properties are defined rather than assigned.
function component<D extends object, F extends object>(build: F, definition: D): D & F {
  return Object.defineProperties(build, Object.getOwnPropertyDescriptors(definition)) as D & F;
}

/** Makes a source that code can call and, by `use`, pipeline files can name. */
export function defineSource<Schema extends z.ZodType>(
  definition: Omit<SourceDefinition<Schema>, 'role'>,
): Component<SourceDefinition<Schema>, Schema, 'source'> {
  const full = { ...definition, role: 'source' as const };
  return component((options: unknown = {}) => use('source', full as never, options), full) as never;
}

/** Makes an operator that code can call and, by `use`, pipeline files can name. */
export function defineOperator<Schema extends z.ZodType>(
  definition: Omit<OperatorDefinition<Schema>, 'role'>,
): Component<OperatorDefinition<Schema>, Schema, 'operator'> {
  const full = { ...definition, role: 'operator' as const };
  return component(
    (options: unknown = {}) => use('operator', full as never, options),
    full,
  ) as never;
}

/** Makes a sink that code can call and, by `use`, pipeline files can name. */
export function defineSink<Schema extends z.ZodType>(
  definition: Omit<SinkDefinition<Schema>, 'role'>,
): Component<SinkDefinition<Schema>, Schema, 'sink'> {
  const full = { ...definition, role: 'sink' as const };
  return component((options: unknown = {}) => use('sink', full as never, options), full) as never;
}

function use<R extends Role>(
  role: R,
  definition: Definition & { role: R },
  options: unknown,
): Use<R> {
  return { role, definition, options };
}
