import type { Size } from '../../core/size.ts';
import {
  GdpError,
  type GdpHeader,
  gdpHeaderLength,
  gdpType,
  packRows,
  parseGdpHeader,
  parseVideoCaps,
  readSourceSize,
  rgbLength,
  rgbStride,
  type VideoCaps,
} from '../gdp.ts';

/**
 * What the capture host writes in front of each GDP packet: when it asked appsink for the buffer
 * and when it got it (u64 each, big-endian, monotonic nanoseconds).
 */
export const stampLength = 16;

const prefixLength = stampLength + gdpHeaderLength;

/** One picture as it came from the capture host. */
export interface RawFrame {
  readonly caps: VideoCaps;
  /** Size of the source's picture, where the launch line reports it. */
  readonly source: Size | undefined;
  /** Packed RGB in its own buffer. */
  readonly data: Uint8Array;
  readonly pts: bigint | undefined;
  readonly duration: bigint | undefined;
  /** Monotonic nanoseconds (`process.hrtime`). */
  readonly askedAt: bigint;
  readonly arrivedAt: bigint;
}

/** Parses the capture host's byte stream; each picture is copied once, into its own buffer. */
export class FrameReader {
  readonly #prefix = Buffer.alloc(prefixLength);
  readonly #emit: (frame: RawFrame) => void;
  #header: GdpHeader | undefined;
  #payload: Uint8Array | undefined;
  /** Payload buffer for packets that are not emitted: caps, and pictures with padded rows. */
  #scratch = new Uint8Array(0);
  #filled = 0;
  #caps: VideoCaps | undefined;
  #source: Size | undefined;

  constructor(emit: (frame: RawFrame) => void) {
    this.#emit = emit;
  }

  /** True between two packets: a stream that ends here is complete. */
  get idle(): boolean {
    return this.#payload === undefined && this.#filled === 0;
  }

  /**
   * Takes the next bytes of the stream, split anywhere.
   *
   * @throws GdpError if the stream is damaged; the reader cannot be used afterwards
   */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const target = this.#payload ?? this.#prefix;
      const n = Math.min(bytes.length - at, target.length - this.#filled);
      target.set(bytes.subarray(at, at + n), this.#filled);
      at += n;
      this.#filled += n;
      if (this.#filled === target.length) this.#complete();
    }
  }

  #complete(): void {
    if (this.#payload === undefined) {
      this.#header = parseGdpHeader(this.#prefix, stampLength);
      this.#payload = this.#room(this.#header);
      this.#filled = 0;
      if (this.#payload.length > 0) return;
    }
    const payload = this.#payload;
    this.#payload = undefined;
    this.#filled = 0;
    this.#finish(payload);
  }

  #room({ type, length }: GdpHeader): Uint8Array {
    if (type !== gdpType.buffer) return this.#scratchOf(length);
    const caps = this.#caps;
    if (!caps) throw new GdpError('a picture before its caps');
    const expected = rgbLength(caps.width, caps.height);
    if (length !== expected) {
      throw new GdpError(
        `a picture of ${length} bytes instead of ${expected} (${caps.width}×${caps.height} RGB)`,
      );
    }
    if (rgbStride(caps.width) !== caps.width * 3) return this.#scratchOf(length);
    // Not zeroed, since every byte is about to be overwritten, and not from the shared pool.
    const fresh = Buffer.allocUnsafeSlow(length);
    return new Uint8Array(fresh.buffer, fresh.byteOffset, length);
  }

  #scratchOf(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    return this.#scratch.subarray(0, length);
  }

  #finish(payload: Uint8Array): void {
    const { type, pts, duration } = this.#header as GdpHeader;
    if (type === gdpType.caps) this.#setCaps(payload);
    if (type === gdpType.sourceSize) this.#source = readSourceSize(payload);
    if (type !== gdpType.buffer) return;
    const caps = this.#caps as VideoCaps;
    const data =
      rgbStride(caps.width) === caps.width * 3
        ? payload
        : packRows(payload, caps.width, caps.height);
    this.#emit({
      caps,
      source: this.#source,
      data,
      pts,
      duration,
      askedAt: this.#prefix.readBigUInt64BE(0),
      arrivedAt: this.#prefix.readBigUInt64BE(8),
    });
  }

  #setCaps(payload: Uint8Array): void {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1');
    const caps = parseVideoCaps(text.replace(/\0+$/, ''));
    if (caps.format !== 'RGB') throw new GdpError(`pictures in ${caps.format} instead of RGB`);
    this.#caps = caps;
  }
}
