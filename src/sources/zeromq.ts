import { Observable } from 'rxjs';
import { z } from 'zod';
import { type ComponentContext, defineSource } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { duration } from '../core/units.ts';
import { curveClientSchema } from '../topic/curve.ts';
import { exposure } from '../topic/exposure.ts';
import { subscribeDepth } from '../topic/subscribe-depth.ts';

const options = z
  .strictObject({
    connect: z.string().optional().describe("the publisher's endpoint: tcp://127.0.0.1:5556"),
    bind: z
      .string()
      .optional()
      .describe('endpoint that publishers connect to, in place of connect'),
    topic: z.string().min(1).default('depth').describe('topic, exactly'),
    kind: z.enum(['depth', 'image']).default('depth').describe('what the topic carries'),
    'silent-after': duration()
      .optional()
      .describe('end with an error when nothing comes for this long; without it, wait for ever'),
    curve: curveClientSchema.optional(),
  })
  .refine((o) => (o.bind === undefined) !== (o.connect === undefined), {
    error: 'needs either "connect" or "bind", and not both',
  });

type Options = z.output<typeof options>;

/**
 * Frames of another Depthline's topic, the newest always: what comes while the pipeline is busy is
 * lost, counted `at capture`, as are gaps in the publisher's `seq`. Sequence numbers go on rising
 * when the publisher starts again.
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
    const { signal } = context;
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const numbering = new Numbering();
    const read = async () => {
      for await (const frame of frames(options, context, stop)) {
        await context.gate.opened(stop.signal);
        if (stop.signal.aborted) return;
        if (frame.kind !== options.kind) {
          throw new DepthlineError(
            'SOURCE',
            `topic "${options.topic}" carries ${frame.kind} frames; set kind: ${frame.kind}, or choose another topic`,
          );
        }
        const { seq, lost } = numbering.next(frame.seq);
        if (lost > 0) context.dropped(lost, 'at capture');
        const { header: _, ...plain } = frame;
        subscriber.next({ ...plain, seq } as Frame);
      }
    };
    read().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => {
      signal.removeEventListener('abort', abort);
      stop.abort();
    };
  });
}

async function* frames(options: Options, context: ComponentContext, stop: AbortController) {
  const { curve } = options;
  const limit = options['silent-after'];
  let silent = false;
  let cancel = () => {};
  const watch = () => {
    cancel();
    if (limit === undefined) return;
    cancel = context.clock.after(limit, () => {
      silent = true;
      stop.abort();
    });
  };
  watch();
  const endpoint = (options.connect ?? options.bind) as string;
  try {
    yield* watched(
      subscribeDepth(endpoint, {
        topic: options.topic,
        latest: true,
        signal: stop.signal,
        mode: options.bind === undefined ? 'connect' : 'bind',
        onCorrupt: (error) => context.log.warn(error.message),
        ...(curve && {
          curve: {
            serverKey: curve['server-key'],
            publicKey: curve['public-key'],
            secretKey: curve['secret-key'],
          },
        }),
      }),
      watch,
    );
  } finally {
    cancel();
  }
  if (silent) {
    throw new DepthlineError(
      'SOURCE',
      `nothing came from ${endpoint} on topic "${options.topic}" for ${limit} ms; is the publisher running?`,
    );
  }
}

async function* watched<T>(items: AsyncIterable<T>, onItem: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    onItem();
    yield item;
  }
}

/** More than anybody loses on the way: a day at 60 fps and more. */
const longestGap = 10_000_000;

/**
 * Numbers that rise whatever the publisher does. A fall means that it was started again. A leap that
 * no loss explains is not counted as dropped: those frames never were.
 */
class Numbering {
  #theirs: number | undefined;
  #ours = -1;

  next(theirs: number): { seq: number; lost: number } {
    const step = this.#theirs === undefined ? 1 : theirs - this.#theirs;
    this.#theirs = theirs;
    const lost = step > 0 && step <= longestGap ? step - 1 : 0;
    this.#ours += lost + 1;
    return { seq: this.#ours, lost };
  }
}
