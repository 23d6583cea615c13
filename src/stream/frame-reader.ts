import type { RawFrame, VideoCaps } from '../core/capture-stream.ts';
import { freshBytes } from '../core/fresh-bytes.ts';
import { packRows, RefusedCaps, rgbForm, type StreamForm } from './form.ts';
import { GdpError, type GdpHeader, gdpHeaderLength, gdpType, parseGdpHeader } from './gdp.ts';

export type ReadPicture = Pick<RawFrame, 'caps' | 'data' | 'pts' | 'duration'>;

/** Parses the stream of a capture process; the bytes of a frame go straight to where they are wanted. */
export class FrameReader {
  readonly #header = Buffer.alloc(gdpHeaderLength);
  readonly #room: (length: number) => Uint8Array;
  readonly #form: StreamForm;
  /** True once a frame was as long as its caps say. */
  #sound = false;
  #packet: GdpHeader | undefined;
  #payload: Uint8Array | undefined;
  /** For packets that are not frames, and frames with padded rows. */
  #scratch = new Uint8Array(0);
  #filled = 0;
  /** Caps of the pictures that follow; another reader of the same stream may have read them. */
  caps: VideoCaps | undefined;

  /** @param room memory for a picture of so many bytes; default: a buffer of its own */
  constructor(room: (length: number) => Uint8Array = freshBytes, form: StreamForm = rgbForm) {
    this.#room = room;
    this.#form = form;
  }

  /** True between two packets: a stream that ends here is complete. */
  get idle(): boolean {
    return this.#payload === undefined && this.#filled === 0;
  }

  /** What the next bytes of the stream belong in. */
  get target(): Uint8Array {
    const whole = this.#payload ?? this.#header;
    return this.#filled === 0 ? whole : whole.subarray(this.#filled);
  }

  /**
   * So many bytes of `target` have been filled.
   *
   * @returns the picture that they complete, if any
   * @throws GdpError if the stream is damaged; the reader cannot be used afterwards
   */
  filled(bytes: number): ReadPicture | undefined {
    this.#filled += bytes;
    if (this.#filled < (this.#payload ?? this.#header).length) return undefined;
    this.#filled = 0;
    if (this.#payload === undefined) {
      this.#packet = parseGdpHeader(this.#header);
      this.#payload = this.#roomFor(this.#packet);
      if (this.#payload.length > 0) return undefined;
    }
    const payload = this.#payload;
    this.#payload = undefined;
    return this.#finish(this.#packet as GdpHeader, payload);
  }

  #roomFor({ type, length }: GdpHeader): Uint8Array {
    if (type !== gdpType.buffer) return this.#scratchOf(length);
    const caps = this.caps;
    if (!caps) throw new GdpError('a picture before its caps');
    const { bytes, stride, count } = this.#form.rows(caps);
    if (length !== stride * count) throw this.#wrongLength(length, caps, stride * count);
    this.#sound = true;
    return bytes === stride ? this.#room(length) : this.#scratchOf(length);
  }

  /** What no frame is like is how the launch line makes them; what one is like is damage. */
  #wrongLength(length: number, { format, width, height }: VideoCaps, expected: number): GdpError {
    const message = `a ${this.#form.what} of ${length} bytes instead of ${expected} (${width}×${height} ${format})`;
    return this.#sound ? new GdpError(message) : new RefusedCaps(message);
  }

  #scratchOf(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    return this.#scratch.subarray(0, length);
  }

  #finish({ type, pts, duration }: GdpHeader, payload: Uint8Array): ReadPicture | undefined {
    if (type === gdpType.caps) this.#setCaps(payload);
    if (type !== gdpType.buffer) return undefined;
    const caps = this.caps as VideoCaps;
    const rows = this.#form.rows(caps);
    if (rows.bytes === rows.stride) return { caps, data: payload, pts, duration };
    const data = this.#room(rows.bytes * rows.count);
    packRows(payload, rows, data);
    return { caps, data, pts, duration };
  }

  #setCaps(payload: Uint8Array): void {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1');
    this.caps = this.#form.parse(text.replace(/\0+$/, ''));
  }
}
