import type { Manifest } from '../manifest.ts';
import type { SessionSettings } from '../session-settings.ts';
import type { EngineChoice } from './choice.ts';

/**
 * What runs a network, inside an inference thread. Everything around it stays outside: workers and their
 * restarts, the order of frames, the ledger, the freshness of live frames, metres.
 */
export interface DepthEngine {
  /** Size of the network's output. */
  readonly width: number;
  readonly height: number;
  /** What runs the network, for people: `ONNX Runtime 1.30.0, cpu`. */
  readonly description: string;
  /** What the user should know, each said once in a run: a provider that is missing. */
  readonly notes?: readonly string[];
  /**
   * The network's output for one picture, or for up to `batch` of them, at once or later. Only one call is in
   * progress at a time.
   *
   * @param rgb packed uint8 RGB in the size of the network's input, one picture behind the other
   * @returns for each picture `height × width` float32 values as the network gives them, valid until the next
   *   call; the caller may change them
   * @throws EngineLost if the engine cannot be used any more: the thread ends and is replaced
   * @throws FrameLost if the engine could not be reached for this picture, but may be for the next
   * @throws Error if the network fails on this picture
   */
  infer(rgb: Uint8Array): Float32Array | Promise<Float32Array>;
  /** Releases what the engine holds in this thread. */
  close(): Promise<void>;
}

/** What an engine starts with. */
export interface EngineSetup {
  readonly engine: EngineChoice;
  readonly manifest: Manifest;
  readonly manifestPath: string;
  /** The model's file. */
  readonly path: string;
  /** Hash of the model's own file, hexadecimal. */
  readonly sha256: string;
  /** Threads for one picture. */
  readonly threads: number;
  /** Most pictures in one call; 1 for engines that take no more. */
  readonly batch: number;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  readonly session: SessionSettings;
  /** See native-guard.ts. */
  readonly native: SharedArrayBuffer;
  /** What the main thread has opened for it (see `Companion`). */
  readonly attachment: unknown;
}

/**
 * Loads the network.
 *
 * @throws DepthlineError that says what the user has to change; it becomes the error of the run
 * @throws Error if the network cannot be loaded
 */
export type OpenEngine = (setup: EngineSetup) => Promise<DepthEngine>;

/** The engine cannot be used any more. */
export class EngineLost extends Error {
  override readonly name = 'EngineLost';
}

/** The engine was not there for this picture: it counts as failed, and the run goes on. */
export class FrameLost extends Error {
  override readonly name = 'FrameLost';
}

/** What the main thread keeps beside one inference thread, such as a helper process. */
export interface Companion {
  /** For the thread's engine; it must be cloneable. */
  readonly attachment: unknown;
  /** The thread has ended by itself. @returns why, as the companion knows it */
  explain(cause: string): Promise<string>;
  /** Makes an inference in progress end, with an error; nothing can run afterwards. */
  kill(): void;
  /** Called when the thread has ended. */
  close(): Promise<void>;
}
