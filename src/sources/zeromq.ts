import { Observable } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { positiveDuration } from '../core/units.ts';
import { curveClientSchema } from '../topic/curve.ts';
import { endpoint, topicName } from '../topic/endpoint.ts';
import { exposure } from '../topic/exposure.ts';
import { Numbering } from '../topic/numbering.ts';
import { PublisherClock } from '../topic/publisher-clock.ts';
import { StreamTime } from '../topic/stream-time.ts';
import { type ReceivedFrame, subscribeDepth } from '../topic/subscribe-depth.ts';

const options = z
  .strictObject({
    connect: endpoint('connect')
      .optional()
      .describe("the publisher's endpoint: tcp://127.0.0.1:5556"),
    bind: endpoint('bind')
      .optional()
      .describe('endpoint that publishers connect to, in place of connect'),
    topic: topicName().default('depth').describe('name of the topic, matched exactly'),
    kind: z.enum(['depth', 'image']).default('depth').describe('what the topic carries'),
    'silent-after': positiveDuration()
      .optional()
      .describe(
        'end with an error when nothing is received for this long; without it, wait without end',
      ),
    curve: curveClientSchema.optional(),
  })
  .refine((o) => (o.bind === undefined) !== (o.connect === undefined), {
    error: 'needs either "connect" or "bind", and not both',
  });

type Options = z.output<typeof options>;

/** Frames after which the clock of a publisher is judged. */
const framesBeforeVerdict = 5;

/**
 * Frames of another Depthline's topic, always the newest: what comes while the pipeline is busy is
 * lost and counted `at capture`, as are gaps in the publisher's `seq`. `seq` and `pts` go on rising
 * when the publisher restarts, and `capturedAt` is given by the clock of this machine.
 */
export const zeromq = defineSource({
  name: 'zeromq',
  summary: "Reads depth or pictures from another Depthline's ZeroMQ topic.",
  emits: ({ kind }) => [kind],
  live: true,
  options,
  examples: [
    { connect: 'tcp://127.0.0.1:5556', topic: 'depth' },
    { connect: 'tcp://127.0.0.1:5556', topic: 'image', kind: 'image' },
  ],
  warnings: exposure,
  create: async (options, context) => {
    for (const warning of exposure(options)) context.log.warn(warning);
    return receive(options, context);
  },
});

function receive(options: Options, context: ComponentContext): Observable<Frame> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const abort = () => stop.abort();
    context.signal.addEventListener('abort', abort, { once: true });
    if (context.signal.aborted) abort();
    subscriber.add(() => context.signal.removeEventListener('abort', abort));
    new Reception(options, context, stop)
      .read((frame) => subscriber.next(frame))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
    return () => stop.abort();
  });
}

/** What is kept between the frames of one subscription. */
class Reception {
  readonly #options: Options;
  readonly #context: ComponentContext;
  readonly #stop: AbortController;
  readonly #numbering = new Numbering();
  readonly #time = new StreamTime();
  readonly #clock = new PublisherClock();
  #frames = 0;
  #corrupt = 0;
  /** Corrupt messages since the last frame. */
  #skipped = 0;
  #silent = false;
  #cancel = () => {};
  #toldOfClock = false;

  constructor(options: Options, context: ComponentContext, stop: AbortController) {
    this.#options = options;
    this.#context = context;
    this.#stop = stop;
    context.summary(() => (this.#corrupt > 0 ? { corrupt: this.#corrupt } : {}));
  }

  async read(emit: (frame: Frame) => void): Promise<void> {
    const { gate, clock } = this.#context;
    const { signal } = this.#stop;
    const frames = this.#subscribe();
    let openedAt: bigint | undefined;
    this.#watch();
    try {
      while (!signal.aborted) {
        const { value, done } = await frames.next();
        if (done || signal.aborted) break;
        this.#watch();
        const frame = this.#placed(value);
        // What came while the gate was closed is stale when it opens, also the newest, which was kept.
        const stale = openedAt !== undefined && value.receivedAt < openedAt;
        openedAt = undefined;
        if (gate.open && !stale) emit(frame);
        else this.#context.dropped(1, 'at capture');
        if (gate.open) continue;
        // While the gate is closed nothing is received, so the publisher does not count as silent.
        this.#cancel();
        await gate.opened(signal);
        openedAt = clock.wall();
        this.#watch();
      }
    } finally {
      this.#cancel();
      await frames.return();
    }
    if (this.#silent) throw this.#silence();
  }

  #subscribe() {
    const { curve, topic } = this.#options;
    const context = this.#context;
    context.reconnecting(context.clock.wall());
    return subscribeDepth(endpointOf(this.#options), {
      topic,
      latest: true,
      signal: this.#stop.signal,
      clock: context.clock,
      mode: this.#options.bind === undefined ? 'connect' : 'bind',
      onCorrupt: (error) => this.#onCorrupt(error.message),
      onWarning: (message) => context.log.warn(message),
      onRefused: (message) => context.log.warn(`${endpointOf(this.#options)}: ${message}`),
      onConnection: (connected) =>
        context.reconnecting(connected ? undefined : context.clock.wall()),
      ...(curve && {
        curve: {
          serverKey: curve['server-key'],
          publicKey: curve['public-key'],
          secretKey: curve['secret-key'],
        },
      }),
    });
  }

  /** The frame as one of this pipeline: by its own numbers, times and cameras. */
  #placed({ header, receivedAt, camera: _, ...frame }: ReceivedFrame): Frame {
    const { topic, kind } = this.#options;
    if (frame.kind !== kind) {
      throw new DepthlineError(
        'SOURCE',
        `topic "${topic}" carries ${frame.kind} frames; set kind: ${frame.kind}, or choose another topic`,
      );
    }
    const { seq, lost } = this.#numbering.next(frame.seq, this.#skipped);
    this.#skipped = 0;
    if (lost > 0) this.#context.dropped(lost, 'at capture');
    const nowMs = this.#context.clock.now();
    const times = { capturedAt: frame.capturedAt, publishedAt: BigInt(header.publishedAt) };
    const capturedAt = this.#clock.capturedAt(times, receivedAt, nowMs);
    this.#tellOfClock();
    return { ...frame, seq, pts: this.#time.next(frame.pts, nowMs), capturedAt } as Frame;
  }

  /** Once, and not for the first frames, which may be late for other reasons. */
  #tellOfClock(): void {
    if (this.#toldOfClock || ++this.#frames < framesBeforeVerdict || this.#clock.offset === 0n)
      return;
    this.#toldOfClock = true;
    const seconds = Number(this.#clock.offset) / 1e9;
    const how = `${Math.abs(seconds).toFixed(1)} s ${seconds > 0 ? 'behind' : 'ahead of'}`;
    this.#context.log.warn(
      `the publisher's clock is ${how} this machine's; ages count from the fastest message, without its delay on the network (synchronize the clocks to include it)`,
    );
  }

  /** Each is counted; only the 1st, 10th, 100th … is reported, or a peer could fill the log. */
  #onCorrupt(message: string): void {
    this.#corrupt++;
    this.#skipped++;
    this.#context.dropped(1, 'corrupt message');
    if (!/^10*$/.test(String(this.#corrupt))) return;
    this.#context.log.warn(
      this.#corrupt === 1 ? message : `${message} (corrupt messages so far: ${this.#corrupt})`,
    );
  }

  #watch(): void {
    const limit = this.#options['silent-after'];
    this.#cancel();
    if (limit === undefined) return;
    this.#cancel = this.#context.clock.after(limit, () => {
      this.#silent = true;
      this.#stop.abort();
    });
  }

  #silence(): DepthlineError {
    const { topic, 'silent-after': limit } = this.#options;
    return new DepthlineError(
      'SOURCE',
      `nothing received from ${endpointOf(this.#options)} on topic "${topic}" for ${limit} ms; is the publisher running?`,
    );
  }
}

function endpointOf(options: Options): string {
  return (options.connect ?? options.bind) as string;
}
