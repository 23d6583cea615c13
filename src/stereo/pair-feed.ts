import type { Observable, Subscriber, Subscription } from 'rxjs';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, located } from '../core/errors.ts';
import type { Frame, ImageFrame, StereoFrame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';
import type { NestedSource } from '../core/nested-source.ts';
import { NestedGate, nestedContext } from './nested.ts';
import { Pairing, type Side, sides } from './pairing.ts';

/** Frames of a camera that may wait for a partner: a quarter of a second at 30 per second. */
const liveRoom = 8;
/** Files wait for each other, one ahead. */
const fileRoom = 2;
/** Frames that a source may still give once its gate is held. */
const overshoot = 4;
/** Pairs that may wait for their rectification. */
const finishRoom = 2;

/** What a feed works with. */
export interface FeedParts {
  readonly context: ComponentContext;
  /** Makes of a pair what is emitted. */
  finish(pair: StereoFrame): StereoFrame | Promise<StereoFrame>;
  /** Frames come whether they are asked for or not. */
  readonly live: boolean;
}

export interface Matching {
  readonly times: 'capture' | 'pts';
  readonly maxSkewMs: number;
  /** Right frames are later by this, milliseconds. */
  readonly delayMs: number;
}

interface Eye {
  readonly source: Observable<Frame>;
  readonly gate: Gate;
}

type Subscribe = (subscriber: Subscriber<Frame>) => () => void;

const ahead = 'partner';
const finishing = 'rectification';

/** Reads one or two sources and emits pairs: what subscribes to an Observable. */
export class PairFeed {
  readonly #parts: FeedParts;
  readonly #subscriber: Subscriber<Frame>;
  readonly #gates: readonly Gate[];
  readonly #subscriptions: Subscription[] = [];
  readonly #stop = new AbortController();
  readonly #waiting: StereoFrame[] = [];
  #busy = false;
  #ended = false;

  private constructor(parts: FeedParts, gates: readonly Gate[], subscriber: Subscriber<Frame>) {
    this.#parts = parts;
    this.#gates = gates;
    this.#subscriber = subscriber;
  }

  /** A feed of one source whose pictures are split. */
  static async ofOne(
    source: NestedSource,
    split: (frame: ImageFrame) => readonly [ImageFrame, ImageFrame],
    parts: FeedParts,
  ): Promise<Subscribe> {
    const eye = await open(source, 'side-by-side', parts.context, (since) =>
      parts.context.reconnecting(since),
    );
    return (subscriber) => {
      const feed = new PairFeed(parts, [eye.gate], subscriber);
      feed.#subscribe(eye.source, {
        next: (frame) => feed.#pair(...split(frame)),
        complete: () => feed.#finishAll(),
      });
      return () => feed.#close();
    };
  }

  /** A feed of two sources whose frames are paired by their times. */
  static async ofTwo(
    left: NestedSource,
    right: NestedSource,
    { times, maxSkewMs, delayMs }: Matching,
    parts: FeedParts,
  ): Promise<Subscribe> {
    const { context, live } = parts;
    const away: Record<Side, bigint | undefined> = { left: undefined, right: undefined };
    const gone = (side: Side) => (since: bigint | undefined) => {
      away[side] = since;
      context.reconnecting(away.left ?? away.right);
    };
    // At the same time: each starts a capture process.
    const opened = await Promise.allSettled([
      open(left, 'left', context, gone('left')),
      open(right, 'right', context, gone('right')),
    ]);
    const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (failures.length > 0) throw oneOf(failures);
    const [a, b] = opened.map((one) => (one as PromiseFulfilledResult<Eye>).value) as [Eye, Eye];
    const eyes: Readonly<Record<Side, Eye>> = { left: a, right: b };
    const room = live ? liveRoom : fileRoom;
    const nanoseconds = (ms: number) => BigInt(Math.round(ms * 1e6));
    return (subscriber) => {
      const pairing = new Pairing<ImageFrame>(
        nanoseconds(maxSkewMs),
        live ? room : room + overshoot,
      );
      const feed = new PairFeed(parts, [a.gate, b.gate], subscriber);
      const timeOf = (side: Side, frame: ImageFrame) =>
        (times === 'capture' ? frame.capturedAt : frame.pts) -
        (side === 'right' ? nanoseconds(delayMs) : 0n);
      const over = new Set<Side>();
      const endIfOver = () => {
        // A side that has ended and whose frames are all gone pairs with nothing any more.
        if (![...over].some((side) => pairing.waiting(side) === 0)) return;
        feed.#alone(pairing.clear());
        feed.#finishAll();
      };
      for (const side of sides) {
        feed.#subscribe(eyes[side].source, {
          next: (frame) => {
            const { pairs, alone } = pairing.add(side, { item: frame, time: timeOf(side, frame) });
            feed.#alone(alone);
            for (const pair of pairs) feed.#pair(...pair);
            if (!live)
              for (const one of sides) holdIf(eyes[one].gate, ahead, pairing.waiting(one) >= room);
            if (over.size > 0) endIfOver();
          },
          complete: () => {
            over.add(side);
            // The other one need not wait for a side that has ended.
            for (const one of sides) eyes[one].gate.release(ahead);
            endIfOver();
          },
        });
      }
      return () => {
        feed.#alone(pairing.clear());
        feed.#close();
      };
    };
  }

  #subscribe(
    source: Observable<Frame>,
    { next, complete }: { next(frame: ImageFrame): void; complete(): void },
  ): void {
    if (this.#ended) return;
    const subscription = source.subscribe({
      next: (frame) => {
        if (this.#ended) return this.#alone(1);
        try {
          if (frame.kind !== 'image')
            throw new Error(`a pair is made of pictures, not of ${frame.kind} frames`);
          next(frame);
        } catch (error) {
          this.#fail(error);
        }
      },
      error: (error) => this.#fail(error),
      complete: () => {
        if (!this.#ended) complete();
      },
    });
    this.#subscriptions.push(subscription);
    if (this.#ended) subscription.unsubscribe();
  }

  #alone(frames: number): void {
    if (frames > 0) this.#parts.context.dropped(frames, 'no partner');
  }

  #pair(left: ImageFrame, right: ImageFrame): void {
    if (left.width !== right.width || left.height !== right.height) {
      throw new DepthlineError(
        'SOURCE',
        `the left picture is ${left.width}×${left.height}, the right one ${right.width}×${right.height}; both must have one size`,
      );
    }
    const { kind: _, format, data, width, height, ...base } = left;
    const picture = ({ format, data }: ImageFrame) => ({ width, height, format, data });
    this.#waiting.push({
      ...{ kind: 'stereo', ...base, source: this.#parts.context.name, width, height },
      ...{ left: { width, height, format, data }, right: picture(right) },
    });
    if (this.#waiting.length > finishRoom) {
      this.#waiting.shift();
      this.#parts.context.dropped(1, 'rectification busy');
    }
    void this.#emit();
  }

  /** Finishes pairs one after the other; meanwhile the sources wait. */
  async #emit(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let pair = this.#waiting.shift(); pair; pair = this.#waiting.shift()) {
        const made = this.#parts.finish(pair);
        if (!(made instanceof Promise)) {
          if (!this.#subscriber.closed) this.#subscriber.next(made);
          continue;
        }
        for (const gate of this.#gates) gate.hold(finishing);
        const done = await made;
        if (this.#stop.signal.aborted) this.#parts.context.dropped(1, 'stopped');
        else this.#subscriber.next(done);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
      for (const gate of this.#gates) gate.release(finishing);
    }
    if (this.#ended && !this.#stop.signal.aborted) this.#subscriber.complete();
  }

  /** No further pair will come: what is there is finished, and then all is over. */
  #finishAll(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    if (!this.#busy) this.#subscriber.complete();
  }

  #fail(error: unknown): void {
    this.#subscriber.error(error);
    this.#close();
  }

  #close(): void {
    this.#ended = true;
    this.#stop.abort();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    const { length } = this.#waiting.splice(0);
    if (length > 0) this.#parts.context.dropped(length, 'stopped');
  }
}

function holdIf(gate: Gate, holder: string, held: boolean): void {
  if (held) gate.hold(holder);
  else gate.release(holder);
}

async function open(
  source: NestedSource,
  role: string,
  context: ComponentContext,
  reconnecting: (since: bigint | undefined) => void,
): Promise<Eye> {
  const gate = new NestedGate(context.gate);
  const own = nestedContext(source, role, context, { gate, reconnecting });
  try {
    return { source: await source.definition.create(source.options, own), gate };
  } catch (error) {
    throw located(error, 'SOURCE', own.path);
  }
}

/** What failed, as one error: a user who has to connect two cameras should read of both. */
function oneOf(failures: readonly DepthlineError[]): DepthlineError {
  const [first, second] = failures as [DepthlineError, DepthlineError | undefined];
  if (!second) return first;
  const message = `${first.message}; ${second.at}: ${second.message}`;
  return new DepthlineError(first.code, message, { at: first.at, cause: first.cause });
}
