/** Told of single frames, for histograms; called on the main thread, so it must be fast. */
export interface FrameObserver {
  /** A branch has delivered a frame, so many milliseconds after its capture. */
  delivered(branch: string, ageMs: number, camera?: string): void;
  /** An operator has worked on a frame that long, milliseconds: what the frame's `timings` say. */
  worked(
    stage: string,
    ms: number,
    model?: { readonly name: string; readonly sha256: string },
    camera?: string,
  ): void;
}
