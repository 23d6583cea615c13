import type { PublisherLink, Subscription } from '@foxglove/ros1';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Frame, Intrinsics, MessageKind } from '../core/frame.ts';
import { wholeView } from '../depth/view.ts';
import { nanosecondsOf, type RosType } from '../ros/messages.ts';
import { intrinsicsOf, isDistorted } from '../ros/to-frame.ts';
import { Numbering } from '../topic/numbering.ts';
import { PublisherClock } from '../topic/publisher-clock.ts';
import { StreamTime } from '../topic/stream-time.ts';
import { fromRos1, type Ros1Header } from './convert.ts';
import { contentsOf, infoTopicBeside, readTypes, type TypedMessage } from './frame-contents.ts';
import { noPublisher } from './no-publisher.ts';
import type { Ros1Node } from './ros1-node.ts';

export interface ReaderOptions {
  readonly topic: string;
  readonly as: MessageKind;
}

/** How long a publisher is waited for in silence, milliseconds. */
const silentMs = 2000;

interface Arrived {
  readonly message: TypedMessage;
  readonly seq: number;
  readonly stamp: bigint;
  readonly receivedAt: bigint;
  readonly nowMs: number;
}

/** Frames of the messages of one topic, always of the newest: what comes meanwhile is lost and counted. */
export class SubscriptionReader {
  readonly #options: ReaderOptions;
  readonly #context: ComponentContext;
  readonly #node: Ros1Node;
  readonly #numbers = new WeakMap<PublisherLink, Numbering>();
  readonly #time = new StreamTime();
  readonly #clock = new PublisherClock();
  #seq = -1;
  #firstStamp: bigint | undefined;
  #intrinsics: Intrinsics | undefined;
  #toldOfLens = false;
  #unreadable = 0;
  #next: Arrived | undefined;
  /** Called when a message has come or the reader is to end. */
  #wake = () => {};
  #failure: DepthlineError | undefined;
  #cancelHint = () => {};

  constructor(options: ReaderOptions, context: ComponentContext, node: Ros1Node) {
    this.#options = options;
    this.#context = context;
    this.#node = node;
  }

  /**
   * Emits frames until `signal` aborts.
   *
   * @throws DepthlineError `SOURCE` if the topic has messages of another type
   */
  async read(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    const { gate, clock } = this.#context;
    const { topic, as } = this.#options;
    this.#context.reconnecting(clock.wall());
    const subscription = this.#node.subscribe(topic);
    this.#follow(subscription);
    this.#cancelHint = clock.after(silentMs, () => void this.#hint());
    if (as !== 'points') this.#followInfo(infoTopicBeside(topic));
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted && !this.#failure) {
      await gate.opened(signal);
      await this.#arrival(signal);
      if (!gate.open) continue;
      const arrived = this.#next;
      this.#next = undefined;
      if (!arrived || signal.aborted) continue;
      const frame = await this.#frame(arrived);
      await gate.opened(signal);
      if (frame && !signal.aborted) emit(frame);
    }
    this.#cancelHint();
    if (this.#failure && !signal.aborted) throw this.#failure;
  }

  async #hint(): Promise<void> {
    // A master that does not answer is reported by the node.
    const published = await this.#node.publishedTopics().catch(() => undefined);
    if (published) this.#context.log.info(noPublisher(this.#options, published));
  }

  #follow(subscription: Subscription): void {
    const { clock } = this.#context;
    subscription.on('header', (header) => {
      this.#cancelHint();
      this.#context.reconnecting(undefined);
      const type = header.get('type') ?? '';
      if (readTypes.has(type) && type !== 'sensor_msgs/CameraInfo') return;
      const { topic } = this.#options;
      const message = `topic "${topic}" has messages of ${type}, of which no frame is made; set "topic" to one of Image, CompressedImage or PointCloud2`;
      this.#fail(new DepthlineError('SOURCE', message));
    });
    subscription.on('error', () => {
      const connected = [...subscription.publishers().values()].some(({ connection }) =>
        connection.connected(),
      );
      if (!connected) this.#context.reconnecting(clock.wall());
    });
    subscription.on('message', (message, _, publisher) => {
      const type = publisher.connection.header().get('type') as RosType;
      if (readTypes.has(type)) this.#take(type, message as { header: Ros1Header }, publisher);
    });
  }

  #followInfo(topic: string): void {
    this.#node.subscribe(topic).on('message', (message, _, publisher) => {
      if (publisher.connection.header().get('type') !== 'sensor_msgs/CameraInfo') return;
      const info = fromRos1('sensor_msgs/CameraInfo', message);
      this.#intrinsics = intrinsicsOf(info);
      if (this.#toldOfLens || !isDistorted(info)) return;
      this.#toldOfLens = true;
      this.#context.log.warn(
        'the lens of this camera bends its pictures; its intrinsics are used as if it did not',
      );
    });
  }

  #take(type: RosType, message: { readonly header: Ros1Header }, publisher: PublisherLink): void {
    const { clock } = this.#context;
    const { seq, stamp } = message.header;
    const receivedAt = clock.wall();
    const numbers = this.#numbers.get(publisher) ?? new Numbering();
    this.#numbers.set(publisher, numbers);
    const { lost } = numbers.next(seq);
    if (lost > 0) this.#context.dropped(lost, 'at capture');
    this.#seq += lost + 1;
    if (this.#next) this.#context.dropped(1, 'at capture');
    const time = nanosecondsOf({ sec: stamp.sec, nanosec: stamp.nsec });
    this.#next = {
      message: { type, message: fromRos1(type, message) } as TypedMessage,
      ...{ seq: this.#seq, stamp: time > 0n ? time : receivedAt, receivedAt, nowMs: clock.now() },
    };
    this.#wake();
  }

  async #arrival(signal: AbortSignal): Promise<void> {
    if (this.#next || signal.aborted || this.#failure) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => {};
  }

  async #frame({ message, seq, stamp, receivedAt, nowMs }: Arrived): Promise<Frame | undefined> {
    try {
      const contents = await contentsOf(message, this.#options.as, this.#intrinsics);
      this.#firstStamp ??= stamp;
      const times = { capturedAt: stamp, publishedAt: stamp };
      // A stamp before the first one is that of a clock that was set back.
      const since = stamp > this.#firstStamp ? stamp - this.#firstStamp : 0n;
      return {
        ...('width' in contents && { view: wholeView(contents) }),
        ...contents,
        ...{ seq, pts: this.#time.next(since, nowMs), source: this.#context.name },
        capturedAt: this.#clock.capturedAt(times, receivedAt, nowMs),
      } as Frame;
    } catch (error) {
      this.#skip(error);
      return undefined;
    }
  }

  /** Each is counted; only the 1st, 10th, 100th … is reported. */
  #skip(error: unknown): void {
    this.#context.dropped(1, 'unreadable');
    if (!/^10*$/.test(String(++this.#unreadable))) return;
    const { topic } = this.#options;
    this.#context.log.warn(`a message of ${topic} cannot be read: ${reason(error)}`);
  }

  #fail(error: DepthlineError): void {
    this.#failure ??= error;
    this.#wake();
  }
}
