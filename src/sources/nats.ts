import { Observable } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { positiveDuration } from '../core/units.ts';
import {
  connectOptions,
  connectProblem,
  connectReads,
  connectWarnings,
  subjectProblem,
} from '../nats/connect-options.ts';
import { openConnection } from '../nats/connection.ts';
import { consumerSchema } from '../nats/consumer-options.ts';
import { type LiveOptions, LiveReception, type Reception } from '../nats/reception.ts';
import { StoredReception } from '../nats/stored-reception.ts';

const options = z
  .strictObject({
    ...connectOptions,
    subject: z
      .string()
      .refine((text) => subjectProblem(text, true) === undefined, {
        error: (issue) => subjectProblem(String(issue.input), true) as string,
      })
      .default('depthline.depth')
      .describe('subject to read, such as depthline.depth.front, or depthline.depth.* for all'),
    kind: z.enum(['depth', 'image']).default('depth').describe('what the messages carry'),
    consumer: consumerSchema
      .optional()
      .describe('read from a stream, each frame until it is delivered; default: live, the newest'),
    order: z
      .strictObject({
        deadline: positiveDuration()
          .default(2000)
          .describe('how long a frame waits for those that are missing before it; default: 2s'),
        limit: z
          .int()
          .min(1)
          .max(10_000)
          .default(256)
          .describe('frames of a subject that wait; beyond it the earliest goes on'),
      })
      .optional()
      .describe('put the frames of each subject in the order of their numbers; with consumer'),
    'silent-after': positiveDuration()
      .optional()
      .describe(
        'end with an error when nothing is received for this long; without it, wait without end',
      ),
  })
  .superRefine((o, context) => {
    const problem = connectProblem(o);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    if (o.order && !o.consumer)
      context.addIssue({ code: 'custom', path: ['order'], message: 'needs "consumer"' });
  });

type Options = z.output<typeof options>;

/**
 * Frames that another Depthline publishes on NATS: the newest, live, or all that a stream has stored,
 * each until a sink has delivered it. Frames keep their `origin`, so that a sink `nats` publishes what
 * becomes of them by the numbers of their camera.
 */
export const nats = defineSource({
  name: 'nats',
  summary: 'Reads depth or pictures that another Depthline publishes on NATS, live or stored.',
  emits: ({ kind }) => [kind],
  live: ({ consumer }) => consumer === undefined,
  options,
  examples: [
    { subject: 'depthline.depth.front' },
    {
      servers: 'nats://127.0.0.1:4222',
      subject: 'depthline.pictures.*',
      kind: 'image',
      consumer: { stream: 'PICTURES', durable: 'workers', 'acknowledge-within': '2s' },
    },
    {
      subject: 'depthline.depth.front',
      consumer: { stream: 'DEPTH', durable: 'replay', from: { time: '2026-01-31T08:00:00Z' } },
      order: { deadline: '5s' },
    },
  ],
  warnings: connectWarnings,
  reads: connectReads,
  create: async (options, context) => {
    for (const warning of connectWarnings(options)) context.log.warn(warning);
    const connection = await openConnection(options, context, 'SOURCE');
    const connected = (is: boolean) => context.reconnecting(is ? undefined : context.clock.wall());
    context.defer(connection.onChange(connected));
    const { consumer, order } = options;
    const reception: Reception = consumer
      ? new StoredReception(connection, { subject: options.subject, consumer, order }, context)
      : new LiveReception(connection, options as LiveOptions, context);
    return receive(reception, options, context);
  },
});

function receive(
  reception: Reception,
  options: Options,
  context: ComponentContext,
): Observable<Frame> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const abort = () => stop.abort();
    context.signal.addEventListener('abort', abort, { once: true });
    if (context.signal.aborted) abort();
    subscriber.add(() => context.signal.removeEventListener('abort', abort));
    const silence = new Silence(options, context, stop);
    const emit = (frame: Frame) => {
      silence.watch();
      if (frame.kind !== options.kind) throw wrongKind(frame, options);
      subscriber.next(frame);
    };
    silence.watch();
    reception
      .read(emit, stop.signal)
      .finally(() => silence.end())
      .then(
        () => {
          if (silence.fell) subscriber.error(silence.error());
          else subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
    return () => stop.abort();
  });
}

function wrongKind({ kind }: Frame, { subject }: Options): DepthlineError {
  return new DepthlineError(
    'SOURCE',
    `${subject} carries ${kind} frames; set kind: ${kind}, or choose another subject`,
  );
}

/** Ends the source when nothing was received for too long while frames were wanted. */
class Silence {
  readonly #options: Options;
  readonly #context: ComponentContext;
  readonly #stop: AbortController;
  #cancel = () => {};
  fell = false;

  constructor(options: Options, context: ComponentContext, stop: AbortController) {
    this.#options = options;
    this.#context = context;
    this.#stop = stop;
  }

  watch(): void {
    const limit = this.#options['silent-after'];
    this.#cancel();
    if (limit === undefined) return;
    this.#cancel = this.#context.clock.after(limit, () => {
      // While the gate is held nothing is asked for.
      if (!this.#context.gate.open) return this.watch();
      this.fell = true;
      this.#stop.abort();
    });
  }

  end(): void {
    this.#cancel();
  }

  error(): DepthlineError {
    const { subject, servers, 'silent-after': limit } = this.#options;
    return new DepthlineError(
      'SOURCE',
      `nothing received from ${servers.join(', ')} on ${subject} for ${limit} ms; is the publisher running?`,
    );
  }
}
