import type { DepthUnit, FrameKind, View } from './frame.ts';
import type { Fusion } from './fusion.ts';
import type { QueueOptions } from './queue-options.ts';
import type { Size } from './size.ts';

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

/** Frames that will come to a sink, as far as that is known before the first. */
export interface ExpectedFrames {
  /** They may be of these kinds. */
  readonly kinds: readonly FrameKind[];
  /** Of all of them. */
  readonly size: Size | undefined;
}
