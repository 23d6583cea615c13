/** Messages between a capture and its host process; the frames themselves go over a socket. */

export interface StartMessage {
  readonly type: 'start';
  /** Complete launch line; its appsink is called `depthline-frames`. */
  readonly launchLine: string;
  /** Unix socket on which the host waits for its one client. */
  readonly socketPath: string;
}

/** Ends the pipeline in good order. */
export interface StopMessage {
  readonly type: 'stop';
}

export type ToHost = StartMessage | StopMessage;

/** What GStreamer said about why a pipeline does not work. */
export interface Failure {
  /** `parse`: the launch line is wrong; `run`: the pipeline failed. */
  readonly phase: 'parse' | 'run';
  /** GStreamer's error message. */
  readonly message: string;
  /** Path of the element: `/GstPipeline:pipeline0/GstFileSrc:source`. */
  readonly element?: string;
  /** GStreamer's debug text: source line, element and details. */
  readonly debug?: string;
  /** Decoders and the like that GStreamer missed ("H.265 decoder"). */
  readonly missing?: readonly string[];
}

export type FromHost =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'ended' };

/** One byte from the parent asks for one frame. */
export const credit = 1;
