import type { Observable, OperatorFunction } from 'rxjs';
import type { z } from 'zod';
import type { ComponentContext } from './component-context.ts';
import type {
  CheckContext,
  Claim,
  Concurrency,
  ExpectedFrames,
  FrameFacts,
  NetworkUse,
  PathUse,
  PlanContext,
  QueuedPlanContext,
} from './component-facts.ts';
import type { Frame, FrameKind } from './frame.ts';
import type { Fusion } from './fusion.ts';
import type { ValueProblem } from './option-problems.ts';
import type { Size } from './size.ts';

/** What a component is in a pipeline. */
export type Role = 'source' | 'operator' | 'sink';

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
   * Options in which the sink itself puts the camera of each frame in place of `{camera}`: that of the run if it
   * is `shared`, else also that of the run which the frame was read from.
   */
  readonly namesCamera?: readonly string[];
  /**
   * A sink that cannot work here may say so before the run (a display on a headless machine):
   * `undefined` means that its branch is left out, with the message it logged.
   */
  create(options: z.output<Schema>, context: ComponentContext): Promise<Sink | undefined>;
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
