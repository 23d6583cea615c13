import type { Manifest } from '../../manifest.ts';
import type { KServeChoice } from '../choice.ts';
import type { DepthAnswer, ServerModel } from './tensors.ts';
import type { TlsFiles } from './tls-files.ts';

/** What a client is opened with. */
export interface ClientSetup {
  readonly choice: KServeChoice;
  readonly manifest: Manifest;
  readonly tls: TlsFiles;
  /** Aborts what is in progress. */
  readonly signal: AbortSignal;
}

/** Bytes of an answer that are not depth. */
export const room = 65_536;
/** Longest answer while the size of the depth is not known, bytes. */
export const mostAtFirst = 64 * 1024 * 1024;

/** A model on an inference server, over one of the two transports of the protocol. One question at a time. */
export interface ModelClient {
  /**
   * What the server says of its model.
   *
   * @throws NoAnswer Refused BadAnswer TooLong
   */
  describe(deadlineMs: number): Promise<ServerModel>;
  /**
   * The model's output for one input.
   *
   * @param input the bytes of the tensor
   * @param most longest answer, bytes
   * @throws NoAnswer Refused BadAnswer TooLong
   */
  infer(input: Uint8Array, deadlineMs: number, most: number): Promise<DepthAnswer>;
  close(): void;
}
