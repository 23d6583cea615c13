import { connect } from 'node:net';
import { type Publication, RosNode, type Subscription } from '@foxglove/ros1';
import { TcpSocketNode } from '@foxglove/ros1/nodejs';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { isLoopback } from '../core/loopback.ts';
import { definitionOf, definitionText, type Ros1Type } from './definitions.ts';
import { NodeApiServer } from './node-api-server.ts';
import { PublisherServer } from './publisher-server.ts';

export interface Ros1NodeOptions {
  /** Address of the master: `http://127.0.0.1:11311/`. */
  readonly master: string;
  /** Name or address of this machine for others; nothing: found out. */
  readonly host: string | undefined;
  /** Name of the node, without a slash in front. */
  readonly name: string;
  readonly role: 'sink' | 'source';
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often the master is asked whether it knows this node, milliseconds. */
const watchMs = 1000;
/** How long a call of the master may take, milliseconds. */
const callMs = 3000;
const ok = 1;

/** A node of ROS 1 that registers again when the master has forgotten it. */
export class Ros1Node {
  readonly #options: Ros1NodeOptions;
  readonly #node: RosNode;
  readonly #server: PublisherServer;
  #cancelWatch = () => {};
  /** Topics that had no publisher when they were last looked at. */
  readonly #lonely = new Set<string>();
  #away = false;
  #used = false;
  #over = false;

  private constructor(options: Ros1NodeOptions, node: RosNode, server: PublisherServer) {
    this.#options = options;
    this.#node = node;
    this.#server = server;
  }

  /** @throws DepthlineError `SINK` or `SOURCE` if the master does not answer */
  static async open(options: Ros1NodeOptions): Promise<Ros1Node> {
    const { master, name, log } = options;
    const host = options.host ?? (await ownHost(options));
    const listenOn = isLoopback(host) ? '127.0.0.1' : undefined;
    const server = await PublisherServer.open(listenOn);
    const node = new RosNode({
      name: `/${name}`,
      hostname: host,
      pid: process.pid,
      rosMasterUri: master,
      httpServer: new NodeApiServer(listenOn),
      tcpSocketCreate: TcpSocketNode.Create,
      tcpServer: server,
      log: { debug: (text) => log.debug(text), warn: (text) => log.debug(text) },
    });
    // What matters is seen by its effects; the library tries again.
    node.on('error', () => {});
    const opened = new Ros1Node(options, node, server);
    try {
      await node.start();
      await opened.#call(node.rosMasterClient.getUri(node.name));
    } catch (error) {
      await opened.close();
      throw noMaster(options, error);
    }
    opened.#watch();
    return opened;
  }

  get counts(): PublisherServer['counts'] {
    return this.#server.counts;
  }

  /** False when the master or another node has asked it to end. */
  get running(): boolean {
    const { publications, subscriptions } = this.#node;
    return this.#over || !this.#used || publications.size + subscriptions.size > 0;
  }

  /** Whether somebody subscribes to a topic, or to any. */
  hasSubscribers(topic?: string): boolean {
    const { publications } = this.#node;
    const some = (one: Publication | undefined) => one !== undefined && one.subscribers().size > 0;
    return topic === undefined
      ? [...publications.values()].some(some)
      : some(publications.get(topic));
  }

  /** Registers a topic; while the master is away, it is registered when that is back. */
  async advertise(topic: string, type: Ros1Type, latching = false): Promise<void> {
    if (this.#node.publications.has(topic)) return;
    this.#used = true;
    const registered = this.#node.advertise({
      ...{ topic, dataType: type, latching },
      messageDefinition: definitionOf(type),
      messageDefinitionText: definitionText(type),
    });
    await this.#call(registered).catch((error: unknown) => this.#lose(error));
  }

  /** Hands a message to the connections of all subscribers, without waiting for them. */
  publish(topic: string, message: unknown): Promise<void> {
    return this.#node.publish(topic, message);
  }

  subscribe(topic: string): Subscription {
    this.#used = true;
    const options = { topic, dataType: '*', tcpNoDelay: true };
    const subscription = this.#node.subscribe(options);
    // A connection that the library opens again would take the header for a message.
    subscription.on('error', () => {
      for (const [id, { connection }] of [...subscription.publishers()]) {
        if (!connection.connected()) subscription.removePublisher(id);
      }
    });
    // The master may tell of a publisher while this node asks for it.
    subscription.on('header', () => {
      const seen = new Set<string>();
      for (const [id, publisher] of [...subscription.publishers()]) {
        const url = publisher.publisherXmlRpcUrl();
        if (seen.has(url)) subscription.removePublisher(id);
        seen.add(url);
      }
    });
    return subscription;
  }

  /** Topics that have a publisher, with their types. */
  publishedTopics(): Promise<[topic: string, type: string][]> {
    return this.#call(this.#node.getPublishedTopics());
  }

  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#cancelWatch();
    const { publications, subscriptions, rosMasterClient, name } = this.#node;
    const api = this.#node.rosFollower.url();
    if (api !== undefined && !this.#away) {
      const calls = [
        ...[...publications.keys()].map((topic) =>
          rosMasterClient.unregisterPublisher(name, topic, api),
        ),
        ...[...subscriptions.keys()].map((topic) =>
          rosMasterClient.unregisterSubscriber(name, topic, api),
        ),
      ];
      await Promise.allSettled(calls.map((call) => this.#call(call)));
    }
    for (const publication of publications.values()) publication.close();
    for (const subscription of subscriptions.values()) subscription.close();
    publications.clear();
    subscriptions.clear();
    this.#node.shutdown();
  }

  #watch(): void {
    this.#cancelWatch = this.#options.clock.after(watchMs, () => {
      void this.#look().finally(() => {
        if (!this.#over) this.#watch();
      });
    });
  }

  /** Registers again what the master does not know. */
  async #look(): Promise<void> {
    const { rosMasterClient, name } = this.#node;
    try {
      const [status] = await this.#call(rosMasterClient.lookupNode(name, name));
      if (status !== ok && this.#used) await this.#registerAgain();
      else await this.#connectAgain();
      if (this.#away) this.#options.log.info('the ROS master is back');
      this.#away = false;
    } catch (error) {
      this.#lose(error);
    }
  }

  async #registerAgain(): Promise<void> {
    const { publications, subscriptions, rosMasterClient, name } = this.#node;
    const api = this.#node.rosFollower.url() as string;
    const register = async ({ name: topic, dataType }: Publication | Subscription, what: string) =>
      this.#call(
        what === 'publisher'
          ? rosMasterClient.registerPublisher(name, topic, dataType, api)
          : rosMasterClient.registerSubscriber(name, topic, dataType, api),
      );
    for (const publication of publications.values()) await register(publication, 'publisher');
    for (const subscription of subscriptions.values()) await register(subscription, 'subscriber');
    await this.#connectAgain();
  }

  /** Connects to publishers that a subscription has lost or was not told of. */
  async #connectAgain(): Promise<void> {
    const { subscriptions, rosMasterClient, rosFollower, name } = this.#node;
    const api = rosFollower.url() as string;
    for (const subscription of subscriptions.values()) {
      const { name: topic, dataType } = subscription;
      const lonely = subscription.publishers().size === 0;
      // A connection that is being opened is not seen.
      const before = this.#lonely.has(topic);
      if (lonely) this.#lonely.add(topic);
      else this.#lonely.delete(topic);
      if (!lonely || !before) continue;
      const call = rosMasterClient.registerSubscriber(name, topic, dataType, api);
      const [, , urls] = await this.#call(call);
      rosFollower.emit('publisherUpdate', topic, urls as string[], name);
    }
  }

  #lose(error: unknown): void {
    if (this.#away || this.#over) return;
    this.#away = true;
    const { log, master } = this.#options;
    log.warn(`the ROS master at ${master} does not answer: ${reason(error)}; it is tried again`);
  }

  async #call<T>(call: Promise<T>): Promise<T> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Error(`no answer within ${callMs / 1000} s`));
      cancel = this.#options.clock.after(callMs, fail);
    });
    try {
      return await Promise.race([call, late]);
    } finally {
      cancel();
    }
  }
}

/** The address at which the master, and so other machines, reach this one. */
async function ownHost(options: Ros1NodeOptions): Promise<string> {
  const { ROS_HOSTNAME, ROS_IP } = process.env;
  if (ROS_HOSTNAME || ROS_IP) return (ROS_HOSTNAME || ROS_IP) as string;
  const { hostname, port } = new URL(options.master);
  if (isLoopback(hostname)) return '127.0.0.1';
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port || 80), hostname.replace(/^\[(.*)\]$/, '$1'));
    socket.setTimeout(callMs, () => socket.destroy(new Error('no answer')));
    socket.once('error', (error) => reject(noMaster(options, error)));
    socket.once('connect', () => {
      resolve(socket.localAddress as string);
      socket.destroy();
    });
  });
}

function noMaster({ master, role }: Ros1NodeOptions, error: unknown): DepthlineError {
  return new DepthlineError(
    role === 'sink' ? 'SINK' : 'SOURCE',
    `no ROS master answers at ${master}: ${reason(error)}; start roscore, or set "master"`,
    { cause: error },
  );
}
