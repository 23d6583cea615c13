import { randomUUID } from 'node:crypto';
import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs';
import type { XPublisher } from 'zeromq';

const subscribed = 1;
const unsubscribed = 0;
let probes = 0;

/**
 * Whether anybody subscribes to one of these topics, or to a beginning of one. To be called before
 * the socket binds or connects.
 *
 * @returns whether anybody does, `wantedOf` some of the topics, and `close`, to be called before the
 *   socket is closed
 */
export async function demand(
  socket: XPublisher,
  topics: readonly string[],
): Promise<{
  wanted: Observable<boolean>;
  wantedOf(topics: readonly string[]): Observable<boolean>;
  close: () => void;
}> {
  const { XSubscriber } = await import('zeromq');
  const probe = new XSubscriber({ linger: 0, receiveHighWaterMark: 1 });
  const address = `inproc://depthline-demand-${probes++}`;
  await socket.bind(address);
  probe.connect(address);
  const subscriptions = new Subscriptions(topics, (prefix, mark) => {
    const bytes = Buffer.from(prefix, 'latin1');
    const ask = async () => {
      await probe.send(mark);
      await probe.send(Buffer.concat([Buffer.of(subscribed), bytes]));
      await probe.send(Buffer.concat([Buffer.of(unsubscribed), bytes]));
      await probe.send(mark);
    };
    // It fails when the run has ended.
    void ask().catch(() => {});
  });
  const changed = new BehaviorSubject(undefined);
  const wantedOf = (some: readonly string[]) =>
    changed.pipe(
      map(() => subscriptions.holds(some)),
      distinctUntilChanged(),
    );
  const listen = async () => {
    for await (const [message] of socket) {
      if (!message) continue;
      subscriptions.add(message);
      changed.next(undefined);
    }
  };
  // It ends when the socket is closed.
  void listen().catch(() => {});
  return { wanted: wantedOf(topics), wantedOf, close: () => probe.close() };
}

interface Probe {
  readonly prefix: string;
  readonly mark: string;
  /** The last two changes between the marks; undefined until the first mark has come. */
  last: readonly number[] | undefined;
}

/**
 * The prefixes of our topics that somebody subscribes to, from the messages of an XPUB socket: one
 * when the first subscriber asks for a prefix, and one when the last has left.
 *
 * The second is not to be trusted: ZeroMQ also passes on an unsubscription from a peer that never
 * subscribed. So a probe, a subscriber of our own, then subscribes and unsubscribes. If somebody
 * else holds the prefix, ZeroMQ reports neither; if nobody does, it reports both.
 */
export class Subscriptions {
  readonly #topics: readonly string[];
  readonly #probe: (prefix: string, mark: string) => void;
  readonly #held = new Set<string>();
  readonly #doubtful = new Set<string>();
  #probed: Probe | undefined;

  /**
   * `probe` sends the mark, subscribes to a prefix, unsubscribes, and sends the mark again. A prefix
   * is kept as a string of one character per byte.
   */
  constructor(topics: readonly string[], probe: (prefix: string, mark: string) => void) {
    this.#topics = topics.map((topic) => Buffer.from(topic).toString('latin1'));
    this.#probe = probe;
  }

  get any(): boolean {
    return this.#held.size > 0;
  }

  /** Whether anybody subscribes to one of these topics, or to a beginning of one. */
  holds(topics: readonly string[]): boolean {
    const names = topics.map((topic) => Buffer.from(topic).toString('latin1'));
    return [...this.#held].some((prefix) => names.some((name) => name.startsWith(prefix)));
  }

  /** Takes a message of the publisher's socket. Peers send anything; what is unknown is ignored. */
  add(message: Uint8Array): void {
    const text = Buffer.from(message).toString('latin1');
    const kind = message[0];
    if (kind === subscribed || kind === unsubscribed) this.#change(kind, text.slice(1));
    else if (this.#probed && text === this.#probed.mark) this.#marked(this.#probed);
  }

  #change(kind: number, prefix: string): void {
    // Only beginnings of our topics are kept, or a peer could fill the memory with others.
    if (!this.#topics.some((topic) => topic.startsWith(prefix))) return;
    if (this.#probed?.last && this.#probed.prefix === prefix) {
      this.#probed.last = [...this.#probed.last.slice(-1), kind];
    } else if (kind === subscribed) {
      this.#held.add(prefix);
      this.#doubtful.delete(prefix);
    } else if (this.#held.has(prefix)) {
      this.#doubtful.add(prefix);
      this.#askNext();
    }
  }

  #marked(probed: Probe): void {
    const { prefix, last } = probed;
    if (!last) {
      probed.last = [];
      return;
    }
    this.#probed = undefined;
    const [first, second] = last;
    if (first === subscribed && second === unsubscribed) this.#held.delete(prefix);
    // Others came or went meanwhile.
    else if (last.length > 0) this.#doubtful.add(prefix);
    this.#askNext();
  }

  #askNext(): void {
    const [prefix] = this.#doubtful;
    if (this.#probed || prefix === undefined) return;
    this.#doubtful.delete(prefix);
    // Nobody outside can know the mark.
    this.#probed = { prefix, mark: `?${randomUUID()}`, last: undefined };
    this.#probe(prefix, this.#probed.mark);
  }
}
