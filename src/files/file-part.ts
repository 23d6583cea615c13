/** One file of a frame. */
export interface FilePart {
  /** Path within the frame's directory. */
  readonly name: string;
  encode(): Uint8Array | Promise<Uint8Array>;
}
