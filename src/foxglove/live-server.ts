import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { FoxgloveServer, Parameter } from '@foxglove/ws-protocol';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { WebSocketServer } from 'ws';
import type { Clock } from '../core/clock.ts';
import { reason } from '../core/errors.ts';
import { LimitedMessages } from '../core/limited-messages.ts';
import type { LiveOptions } from '../core/live-options.ts';
import { visible } from '../core/printable.ts';
import { hostProblem } from '../http/access.ts';
import { BoundedServer } from '../http/bounded-server.ts';
import { ForeignOrigins } from '../http/foreign-origins.ts';
import type { EncodedMessage, MessageSchema } from '../ros/codec.ts';
import { LiveConnection } from './live-connection.ts';

// Node.js does not see all names that this CommonJS package exports.
const library = createRequire(import.meta.url)('@foxglove/ws-protocol') as WsProtocol;
type WsProtocol = typeof import('@foxglove/ws-protocol');

export interface LiveServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Name that clients show. */
  readonly title: string;
  /** Origins of web pages that may connect; clients that are no page have none. */
  readonly origins: readonly string[];
  /** Clients that may be connected at a time. */
  readonly clients: number;
  /** Offered as parameters; nothing to offer none. */
  readonly parameters: LiveOptions | undefined;
  readonly clock: Clock;
  /** Messages that come once a second, while somebody subscribes to them. */
  readonly everySecond: () => readonly Outgoing[];
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** A message for a topic. */
export interface Outgoing {
  readonly topic: string;
  readonly message: EncodedMessage;
}

/** Both names of the protocol; newer clients ask for the first. */
const protocols = ['foxglove.sdk.v1', 'foxglove.websocket.v1'] as const;

/** A client that does not answer for that long is disconnected, milliseconds. */
const heartbeatMs = 10_000;
/** How long a request may take to arrive, milliseconds. */
const requestMs = 5000;
/** Clients send small messages only. ws disconnects one that sends more, bytes. */
const longestMessage = 64 * 1024;

/** Sends messages to the clients of the Foxglove WebSocket protocol that subscribe to their topics. */
export class FoxgloveLiveServer {
  readonly counts = { sent: 0, notSent: 0, bytes: 0, clients: 0, refused: 0 };
  readonly #options: LiveServerOptions;
  readonly #server: BoundedServer;
  readonly #protocol: FoxgloveServer;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: longestMessage,
    perMessageDeflate: false,
    handleProtocols: (offered) => protocols.find((name) => offered.has(name)) ?? false,
  });
  readonly #clients = new Set<LiveConnection>();
  readonly #channels = new Map<string, { readonly id: number; readonly schema: MessageSchema }>();
  readonly #subscribed = new Set<number>();
  /** Channels that do not depend on frames. */
  readonly #steady = new Set<number>();
  readonly #wanted = new BehaviorSubject(false);
  readonly #foreign: ForeignOrigins;
  readonly #changes: LimitedMessages;
  #problems = 0;
  #address = '';
  #cancels: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  private constructor(options: LiveServerOptions) {
    this.#options = options;
    this.#protocol = new library.FoxgloveServer({
      name: options.title,
      capabilities: options.parameters ? ['parameters', 'parametersSubscribe'] : [],
    });
    const limits = {
      connections: 2 * options.clients + 16,
      ...{ headerMs: requestMs, checkMs: requestMs / 4, idleMs: 4 * requestMs },
    };
    this.#server = new BoundedServer(limits, (_, response) => {
      const text = 'This is a Foxglove WebSocket server; open its ws:// address in Foxglove.\n';
      response.writeHead(426, { 'Content-Type': 'text/plain', Connection: 'close' });
      response.end(text);
    });
    this.#changes = new LimitedMessages(options.clock, options.info);
    this.#foreign = new ForeignOrigins(options.warn, 'if that is your viewer, add it to "origins"');
    this.#server.http.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket, head),
    );
    this.#follow();
  }

  /** @throws DepthlineError `SINK` if the port is taken or the host is not of this machine */
  static async open(options: LiveServerOptions): Promise<FoxgloveLiveServer> {
    const server = new FoxgloveLiveServer(options);
    const address = await server.#server.listen(options, { code: 'SINK' }, options.warn);
    server.#address = address.replace(/^http/, 'ws');
    server.#every(heartbeatMs, () => {
      for (const client of server.#clients) client.check();
    });
    for (const outgoing of options.everySecond()) {
      server.#steady.add(server.#channel(outgoing));
    }
    server.#every(1000, () => server.#sendSteady());
    return server;
  }

  /** With the port that was taken: `ws://127.0.0.1:8765/`. */
  get address(): string {
    return this.#address;
  }

  /** Whether a client subscribes to what frames hold, or cannot know yet what that is. */
  get wanted(): Observable<boolean> {
    return this.#wanted.pipe(distinctUntilChanged());
  }

  /** Whether there are topics of frames, and nobody subscribes to any. */
  get idle(): boolean {
    const known = this.#frameChannels();
    return known.length > 0 && !known.some((id) => this.#subscribed.has(id));
  }

  /** Whether somebody subscribes to a topic, or nobody can because it is new. */
  wants(topic: string): boolean {
    const channel = this.#channels.get(topic);
    return !channel || this.#subscribed.has(channel.id);
  }

  /** Sends the messages of a frame to those that subscribe to their topics. */
  show(timestamp: bigint, messages: readonly Outgoing[]): void {
    for (const client of this.#clients) client.beginFrame();
    for (const outgoing of messages) {
      const id = this.#channel(outgoing);
      if (this.#subscribed.has(id))
        this.#protocol.sendMessage(id, timestamp, outgoing.message.data as Uint8Array<ArrayBuffer>);
    }
    for (const client of this.#clients) client.flush();
    this.#heed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    const closed = this.#server.close();
    for (const client of this.#clients) client.close();
    await closed;
  }

  #every(ms: number, action: () => void): void {
    const index = this.#cancels.push(() => {}) - 1;
    const again = () => {
      this.#cancels[index] = this.#options.clock.after(ms, () => {
        action();
        if (!this.#closing) again();
      });
    };
    again();
  }

  /** The channel of a topic, announced to all clients when it is new. */
  #channel({ topic, message: { schema, messageEncoding } }: Outgoing): number {
    const found = this.#channels.get(topic);
    if (found?.schema === schema) return found.id;
    // A topic that changes its type (raw pictures become compressed) is announced anew.
    if (found) this.#remove(topic, found.id);
    const binary = schema.encoding === 'protobuf';
    const id = this.#protocol.addChannel({
      topic,
      encoding: messageEncoding,
      schemaName: schema.name,
      schemaEncoding: schema.encoding,
      schema: Buffer.from(schema.data).toString(binary ? 'base64' : 'utf8'),
    });
    this.#channels.set(topic, { id, schema });
    return id;
  }

  #remove(topic: string, id: number): void {
    this.#protocol.removeChannel(id);
    this.#channels.delete(topic);
    this.#subscribed.delete(id);
  }

  #sendSteady(only?: number): void {
    const wanted = [...this.#steady].some((id) => this.#subscribed.has(id));
    if (!wanted) return;
    const now = this.#options.clock.wall();
    for (const client of this.#clients) client.beginSteady();
    for (const outgoing of this.#options.everySecond()) {
      const id = this.#channel(outgoing);
      if (!this.#subscribed.has(id) || (only !== undefined && only !== id)) continue;
      this.#protocol.sendMessage(id, now, outgoing.message.data as Uint8Array<ArrayBuffer>);
    }
    for (const client of this.#clients) client.flush();
  }

  #follow(): void {
    const protocol = this.#protocol;
    protocol.on('subscribe', (id) => {
      this.#subscribed.add(id);
      if (this.#steady.has(id)) this.#sendSteady(id);
      this.#heed();
    });
    protocol.on('unsubscribe', (id) => {
      this.#subscribed.delete(id);
      this.#heed();
    });
    protocol.on('error', (error) => this.#reportProblem(error));
    const { parameters } = this.#options;
    if (!parameters) return;
    protocol.on('getParameters', ({ parameterNames, id }, connection) => {
      protocol.publishParameterValues(this.#values(parameterNames), id, connection);
    });
    protocol.on('setParameters', ({ parameters: asked, id }, connection) => {
      for (const { name, value } of asked) {
        try {
          parameters.set(name, value);
          this.#changes.report(`a client set ${name} to ${JSON.stringify(value)}`);
        } catch (error) {
          const status = { level: library.StatusLevel.ERROR, message: reason(error) };
          protocol.sendStatus(status, connection);
        }
      }
      const names = asked.map(({ name }) => name);
      if (id !== undefined) protocol.publishParameterValues(this.#values(names), id, connection);
    });
    this.#cancels.push(parameters.onChange(() => protocol.updateParameterValues(this.#values([]))));
  }

  /** @param names of the parameters; none for all */
  #values(names: readonly string[]): Parameter[] {
    return (this.#options.parameters?.list() ?? [])
      .filter(({ name }) => names.length === 0 || names.includes(name))
      .map(({ name, value }) => ({ name, value }) as Parameter);
  }

  /** The 1st, 10th, 100th …: a client could fill the log. */
  #reportProblem(error: unknown): void {
    if (!/^10*$/.test(String(++this.#problems))) return;
    this.#options.warn(`a client sent what cannot be read: ${visible(reason(error))}`);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const problem = this.#connectionProblem(request);
    if (problem !== undefined) {
      this.counts.refused++;
      const head = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(problem) + 1}`;
      socket.end(`HTTP/1.1 403 Forbidden\r\n${head}\r\nConnection: close\r\n\r\n${problem}\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { counts } = this;
      const client = new LiveConnection(
        webSocket,
        {
          sent: (bytes) => {
            counts.sent++;
            counts.bytes += bytes;
          },
          dropped: () => {
            counts.notSent++;
          },
        },
        this.#options.clock,
      );
      counts.clients++;
      this.#clients.add(client);
      webSocket.once('close', () => {
        this.#clients.delete(client);
        this.#heed();
      });
      this.#protocol.handleConnection(client as never, request.socket.remoteAddress ?? '');
      this.#heed();
    });
  }

  #connectionProblem(request: IncomingMessage): string | undefined {
    const { host, origins, clients } = this.#options;
    const problem = hostProblem(request, host);
    if (problem !== undefined) return problem;
    const { origin } = request.headers;
    if (origin !== undefined && !origins.includes(origin)) {
      this.#foreign.report(origin);
      return 'a connection from another origin';
    }
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/ *, */);
    if (!protocols.some((name) => offered.includes(name)))
      return `speaks ${protocols.join(' and ')} only`;
    if (this.#clients.size >= clients) return 'too many clients';
    return this.#closing ? 'the run has ended' : undefined;
  }

  #frameChannels(): number[] {
    const all = [...this.#channels.values()].map(({ id }) => id);
    return all.filter((id) => !this.#steady.has(id));
  }

  /** Before the first frame nobody can subscribe: who is connected wants to know the topics. */
  #heed(): void {
    this.#wanted.next(this.#frameChannels().length === 0 ? this.#clients.size > 0 : !this.idle);
  }
}
