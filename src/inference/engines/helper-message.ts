/**
 * Messages between Depthline and a helper process, as docs/engine-protocol.md defines them: a header of 16 bytes,
 * little-endian, then a payload.
 */

export const protocolVersion = 1;
export const headerLength = 16;
/** In a helper, the descriptor of the socket. */
export const helperDescriptor = 3;

export const messageTypes = {
  /** Depthline → helper, lines: what is to be loaded. */
  open: 1,
  /** Helper → Depthline, lines: it is loaded. */
  ready: 2,
  /** Depthline → helper: the network's input. */
  picture: 3,
  /** Helper → Depthline, float32: the network's output. */
  depth: 4,
  /** Helper → Depthline, text: why the network failed on this picture. The helper goes on. */
  failed: 5,
  /** Helper → Depthline, text: why the model cannot be loaded. The helper ends. */
  refused: 6,
  /** Helper → Depthline, text: what it is at, while it loads. */
  progress: 7,
} as const;

/** Payloads other than pictures and depth are short texts. */
export const longestText = 65_536;

export interface MessageHeader {
  readonly type: number;
  /** Number of the picture; an answer repeats it. */
  readonly id: number;
  /** Bytes of payload. */
  readonly length: number;
}

/** What a helper has sent is not of the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

const magic = 'DPTH';

/** @param into at least 16 bytes */
export function writeHeader(into: Uint8Array, { type, id, length }: MessageHeader): void {
  const view = new DataView(into.buffer, into.byteOffset, headerLength);
  for (let i = 0; i < magic.length; i++) view.setUint8(i, magic.charCodeAt(i));
  view.setUint8(4, protocolVersion);
  view.setUint8(5, type);
  view.setUint16(6, 0);
  view.setUint32(8, id, true);
  view.setUint32(12, length, true);
}

/**
 * @param bytes at least 16
 * @throws ProtocolError if they are no header
 */
export function readHeader(bytes: Uint8Array): MessageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  for (let i = 0; i < magic.length; i++) {
    if (view.getUint8(i) !== magic.charCodeAt(i)) {
      const seen = Buffer.from(bytes.subarray(0, headerLength)).toString('hex');
      throw new ProtocolError(`sent ${seen} where a message must begin with "${magic}"`);
    }
  }
  const version = view.getUint8(4);
  if (version !== protocolVersion) {
    throw new ProtocolError(
      `speaks version ${version} of the protocol, and this is version ${protocolVersion}`,
    );
  }
  return {
    type: view.getUint8(5),
    id: view.getUint32(8, true),
    length: view.getUint32(12, true),
  };
}
