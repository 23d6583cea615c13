import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TcpAddress, TcpServer, TcpSocket } from '@foxglove/ros1';

/** A subscriber sends only the header of its connection. One that sends more is disconnected, bytes. */
const longestHeader = 64 * 1024;
const mostSubscribers = 256;

/**
 * The server that subscribers connect to, for the library. A subscriber that reads too slowly gets
 * the newest message only: the one that waits is replaced and counted.
 */
export class PublisherServer extends EventEmitter implements TcpServer {
  readonly counts = { sent: 0, notSent: 0, bytes: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    super();
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.emit('connection', new SubscriberSocket(socket, this.counts));
    });
    this.#server.maxConnections = mostSubscribers;
    this.#server.on('error', (error) => this.emit('error', error));
  }

  /** @param host nothing: every network */
  static open(host: string | undefined): Promise<PublisherServer> {
    const server = new PublisherServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.#server.listen(0, host, () => {
        server.off('error', reject);
        resolve(server);
      });
    });
  }

  async address(): Promise<TcpAddress | undefined> {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? undefined : address;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The connection to a subscriber: of one topic. */
class SubscriberSocket extends EventEmitter implements TcpSocket {
  readonly #socket: Socket;
  readonly #counts: PublisherServer['counts'];
  readonly #remote: TcpAddress;
  #received = 0;
  #answered = false;
  #writing = false;
  #next: Uint8Array | undefined;

  constructor(socket: Socket, counts: PublisherServer['counts']) {
    super();
    this.#socket = socket;
    this.#counts = counts;
    this.#remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.on('data', (chunk) => {
      this.#received += chunk.length;
      if (this.#received > longestHeader) socket.destroy();
      else this.emit('data', chunk);
    });
    socket.on('close', () => this.emit('close'));
    // 'close' follows, and a subscriber that goes is no fault.
    socket.on('error', () => {});
  }

  async remoteAddress(): Promise<TcpAddress> {
    return this.#remote;
  }

  async localAddress(): Promise<TcpAddress> {
    return { address: this.#socket.localAddress ?? '', port: this.#socket.localPort ?? 0 };
  }

  async fd(): Promise<number> {
    return -1;
  }

  async connected(): Promise<boolean> {
    return !this.#socket.destroyed;
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {
    this.#socket.destroy();
  }

  async setNoDelay(): Promise<void> {}

  /** Resolves at once: nobody waits for a slow subscriber. */
  async write(data: Uint8Array): Promise<void> {
    if (!this.#answered) {
      // The first is the answer to its header, and never replaced.
      this.#answered = true;
      this.#socket.write(data);
      return;
    }
    if (this.#next) this.#counts.notSent++;
    this.#next = data;
    this.#flush();
  }

  #flush(): void {
    const data = this.#next;
    if (this.#writing || !data || this.#socket.destroyed) return;
    this.#next = undefined;
    this.#writing = true;
    this.#socket.write(data, (error) => {
      this.#writing = false;
      if (error) return;
      this.#counts.sent++;
      this.#counts.bytes += data.length;
      this.#flush();
    });
  }
}
