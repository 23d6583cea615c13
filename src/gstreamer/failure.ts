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
