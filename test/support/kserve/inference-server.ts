import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { freePort } from '../free-port.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What a server says of a tensor of its model. */
export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** A stand-in for an inference server: depth is a hundredth of red. The first byte of a picture may be an order. */
export abstract class InferenceServer {
  /** What it says of its model, in place of what fits. */
  metadata: Record<string, unknown> = {};
  /** How it gives depth: as bytes, as numbers, or as bytes of float16. */
  answers: 'binary' | 'numbers' | 'half' = 'binary';
  /** The credentials that it demands. */
  authorization: string | undefined;
  /** Called before each answer to a picture. */
  onPicture: () => unknown = () => {};
  /** Pictures in progress now, and the most there were. */
  inProgress = 0;
  most = 0;
  port = 0;
  protected readonly certificate: Certificate | undefined;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(certificate?: Certificate) {
    this.certificate = certificate;
  }

  abstract get url(): string;
  protected abstract create(): Server;

  /** Listens, on the port of the last time if there was one. */
  async start(): Promise<this> {
    // Nobody else must get it while the server is stopped.
    if (this.port === 0) this.port = await freePort();
    this.#server = this.create();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.closeConnections();
    await closed;
  }

  /** Closes connections that are open, as a proxy does that closes idle ones. */
  closeConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  protected get model() {
    return {
      name: 'metres',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'picture', datatype: 'UINT8', shape: [-1, 6, 8, 3] }],
      outputs: [{ name: 'depth', datatype: 'FP32', shape: [-1, 6, 8, 1] }],
      ...this.metadata,
    };
  }

  /** Answers one picture, and counts it meanwhile. */
  protected async counted(answer: () => Promise<void>): Promise<void> {
    this.most = Math.max(this.most, ++this.inProgress);
    try {
      await this.onPicture();
      await answer();
    } finally {
      this.inProgress--;
    }
  }
}

/** Depth of a picture, or undefined if the input is no picture of the model. */
export function depthOf(input: Tensor, rgb: Uint8Array): Float32Array<ArrayBuffer> | undefined {
  const [, height = 0, width = 0] = input.shape.map(Number);
  if (input.datatype !== 'UINT8' || rgb.length !== width * height * 3) return undefined;
  return Float32Array.from({ length: width * height }, (_, at) => (rgb[at * 3] ?? 0) / 100);
}

/** What it says of the depth that it gives. */
export const output = { name: 'depth', datatype: 'FP32', shape: [1, 6, 8, 1] } satisfies Tensor;

/** 0.5 as float16, else 0. */
export function halvesOf(depth: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(depth, (value) => (value === 0.5 ? 0x3800 : 0)).buffer);
}
