import { createRequire } from 'node:module';
import { DepthlineError } from '../core/errors.ts';

/** A bus message: its type, its structure's fields, and for errors `name` (path) and `message`. */
export type BusMessage = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly _src_element_name: string;
};

/** An element found in a pipeline; its GObject properties are its own properties. */
export type ElementHandle = Record<string, unknown>;

export interface AppSinkHandle extends ElementHandle {
  /** Calls back once with the next buffer and its caps; the buffer is null at the end of stream. */
  pull(callback: (buffer: Buffer | null, caps: Record<string, unknown>) => void): void;
}

export interface AppSrcHandle extends ElementHandle {
  /** Copies `buffer` into the pipeline; `pts` is 8 bytes, big-endian nanoseconds. */
  push(buffer: Uint8Array, pts?: Uint8Array): void;
}

export interface PipelineHandle {
  play(): void;
  pause(): void;
  stop(): void;
  sendEOS(): void;
  /**
   * Whole seconds; flags as in GstSeekFlags (1 flush, 2 accurate). Refused behind `gdppay`, which
   * passes no seek on.
   */
  seek(seconds: number, flags: number): boolean;
  /** Seconds, -1 if unknown. */
  queryPosition(): number;
  findChild(name: string): ElementHandle | undefined;
  pollBus(callback: (message: BusMessage) => void): void;
}

export interface GStreamerBinding {
  /** @throws Error with GStreamer's message if the launch line does not parse */
  readonly Pipeline: new (
    launchLine: string,
  ) => PipelineHandle;
}

let loaded: GStreamerBinding | undefined;

/**
 * The GStreamer binding. It is CommonJS with a native part that is compiled when the package is
 * installed. Only child processes call this: a pipeline that crashes takes its process along.
 *
 * @throws DepthlineError `MISSING` if the native part is not there
 */
export function loadGStreamer(): GStreamerBinding {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)('gstreamer-superficial') as GStreamerBinding;
    return loaded;
  } catch (error) {
    throw new DepthlineError(
      'MISSING',
      'the GStreamer binding (gstreamer-superficial) cannot be loaded: install ' +
        'libgstreamer1.0-dev, libgstreamer-plugins-base1.0-dev, pkg-config, python3, make and g++, ' +
        'then run "npm rebuild gstreamer-superficial"',
      { cause: error },
    );
  }
}
