import { readSync, writevSync } from 'node:fs';
import { reason } from '../../core/errors.ts';
import { EngineLost } from './engine.ts';
import {
  headerLength,
  longestText,
  type MessageHeader,
  ProtocolError,
  readHeader,
  writeHeader,
} from './helper-message.ts';

/** How the reason begins when a helper has ended, or closed its end. */
export const socketClosed = 'closed its socket';

/** A message with its payload. */
export interface Message extends MessageHeader {
  readonly payload: Uint8Array;
}

/**
 * The socket to a helper, in an inference thread: calls block until all is sent or received. The main thread ends
 * a helper that takes too long, and the call then fails.
 */
export class HelperChannel {
  readonly #descriptor: number;
  readonly #header = new Uint8Array(headerLength);
  /** An answer's header and payload. */
  #room = new Uint8Array(headerLength + longestText);

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Makes room for answers of so many bytes. @returns where their payload will be */
  reserve(payload: number): Uint8Array {
    this.#room = new Uint8Array(headerLength + Math.max(payload, longestText));
    return this.#room.subarray(headerLength, headerLength + payload);
  }

  /** @throws EngineLost if the helper has ended */
  send(type: number, id: number, payload: Uint8Array): void {
    writeHeader(this.#header, { type, id, length: payload.length });
    let parts = [this.#header, payload];
    while (parts.length > 0) {
      let written = this.#attempt(() => writevSync(this.#descriptor, parts));
      parts = parts.flatMap((part) => {
        const done = Math.min(written, part.length);
        written -= done;
        return done === part.length ? [] : [part.subarray(done)];
      });
    }
  }

  /**
   * The next message; its payload is valid until the next call.
   *
   * @param expected bytes of payload that it probably has
   * @throws EngineLost if the helper has ended, or what it sends is not of the protocol
   */
  receive(expected = 0): Message {
    let have = 0;
    let header: MessageHeader | undefined;
    let end = headerLength + expected;
    while (have < end) {
      const target = this.#room.subarray(have, end);
      const length = this.#attempt(() =>
        readSync(this.#descriptor, target, 0, target.length, null),
      );
      if (length === 0) throw new EngineLost(socketClosed);
      have += length;
      if (header || have < headerLength) continue;
      header = this.#parse();
      end = headerLength + header.length;
    }
    if (have > end) throw new EngineLost('sent more than one answer to a picture');
    return { ...(header as MessageHeader), payload: this.#room.subarray(headerLength, end) };
  }

  #parse(): MessageHeader {
    try {
      const header = readHeader(this.#room);
      const most = this.#room.length - headerLength;
      if (header.length <= most) return header;
      throw new ProtocolError(`announced ${header.length} bytes, and at most ${most} are expected`);
    } catch (error) {
      throw new EngineLost(reason(error), { cause: error });
    }
  }

  /** A broken socket means that the helper has ended, which the main thread explains. */
  #attempt(call: () => number): number {
    try {
      return call();
    } catch (cause) {
      throw new EngineLost(`${socketClosed} (${reason(cause)})`, { cause });
    }
  }
}
