import type { DepthUnit, Intrinsics } from '../core/frame.ts';
import type { RunStats } from '../core/run-stats.ts';

/** The WebSocket subprotocol; a change that an open page would not understand gets another number. */
export const protocol = 'depthline.live.1';
/** The token goes as a further subprotocol, so that it stands in no address and no log. */
export const tokenPrefix = 'depthline.token.';
/** Close code that tells the page to ask for a token. */
export const wrongToken = 4401;
/** Close code for a page that is one too many. */
export const tooManyPages = 4429;

/** What stands before the bytes of a frame. */
export interface LiveHeader {
  readonly seq: number;
  /** Name of the camera, of a run of several. */
  readonly camera?: string;
  /** Capture to encoding, milliseconds. */
  readonly ageMs: number;
  /** Presentation time, milliseconds. */
  readonly ptsMs: number;
  /** Width over height of what the frame shows. */
  readonly aspect: number;
  readonly depth?: DepthPart;
  readonly picture?: PicturePart;
}

interface DepthPart {
  readonly width: number;
  readonly height: number;
  /** Bytes of the residuals, deflated. */
  readonly bytes: number;
  /** Depth of one step: 0.001 where the unit is metres. */
  readonly step: number;
  readonly unit: DepthUnit;
  readonly intrinsics?: Intrinsics;
}

interface PicturePart {
  readonly width: number;
  readonly height: number;
  /** Bytes of the JPEG. */
  readonly bytes: number;
}

/** What the server says besides frames. */
export type ServerMessage =
  /** First message of a connection; another run has another id. */
  | {
      readonly type: 'hello';
      readonly run: string;
      readonly title: string;
      /** Names of the cameras, of a run of several. */
      readonly cameras?: readonly string[];
    }
  /** Frames that this page did not get because it was too slow. */
  | { readonly type: 'status'; readonly dropped: number }
  /** What the run has counted, once per second while the page watches. */
  | { readonly type: 'run'; readonly stats: RunStats };

/** What the page says. */
export type PageMessage =
  /** `camera`: whose frames; default: those of the first. */
  | { readonly type: 'watch'; readonly watching: boolean; readonly camera?: string }
  /** A frame is decoded; the next may come. */
  | { readonly type: 'shown'; readonly seq: number };

const lengthBytes = 4;

/** Length of the header (uint32, little-endian), the header as JSON, depth, picture. */
export function packLive(
  header: LiveHeader,
  depth: Uint8Array | undefined,
  picture: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const parts = [json, depth, picture].filter((part) => part !== undefined);
  const size = parts.reduce((sum, part) => sum + part.length, lengthBytes);
  const out = new Uint8Array(size);
  new DataView(out.buffer).setUint32(0, json.length, true);
  let at = lengthBytes;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export interface LiveParts {
  readonly header: LiveHeader;
  /** Deflated residuals. */
  readonly depth: Uint8Array<ArrayBuffer> | undefined;
  /** JPEG. */
  readonly picture: Uint8Array<ArrayBuffer> | undefined;
}

/** @throws RangeError if the message is shorter than its header says */
export function unpackLive(message: ArrayBuffer): LiveParts {
  const length = new DataView(message).getUint32(0, true);
  const json = new Uint8Array(message, lengthBytes, length);
  const header = JSON.parse(new TextDecoder().decode(json)) as LiveHeader;
  let at = lengthBytes + length;
  const take = (part: { readonly bytes: number } | undefined) => {
    if (!part) return undefined;
    const bytes = new Uint8Array(message, at, part.bytes);
    at += part.bytes;
    return bytes;
  };
  const depth = take(header.depth);
  const picture = take(header.picture);
  return { header, depth, picture };
}
