import { HttpServerNodejs } from '@foxglove/xmlrpc/nodejs';
// The package has a master, and does not export it.
import { RosMaster } from '../../node_modules/@foxglove/ros1/dist/RosMaster.js';
import { sleep, systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import { ros1 } from '../../src/sinks/ros1.ts';
import { testContext } from './context.ts';

export interface OwnMaster {
  readonly uri: string;
  /** Topics that a node has registered, with their types. */
  topics(): ReadonlyMap<unknown, string>;
  close(): void;
}

/** A master of ROS 1 in this process, for tests that need no ROS. */
export async function openMaster(): Promise<OwnMaster> {
  const master = new RosMaster(new HttpServerNodejs());
  // Of a subscriber that takes any type, rosmaster takes "*", and this one does not.
  const { registerSubscriber } = master;
  const types = (master as unknown as { readonly _topics: Map<unknown, string> })._topics;
  master.registerSubscriber = (method, [node, topic, type, api]) => {
    const known = type === '*' ? (types.get(topic) ?? '*') : type;
    return registerSubscriber(method, [node, topic, known, api] as never);
  };
  await master.start('127.0.0.1');
  return { uri: master.url() as string, topics: () => types, close: () => master.close() };
}

export interface Publishing {
  /** Messages that subscribers have been sent so far. */
  sent(): number;
  stop(): Promise<void>;
}

/** Publishes frames through the sink until it is stopped. */
export async function publishFrames(
  { uri }: Pick<OwnMaster, 'uri'>,
  everyMs: number,
  frameOf: (seq: number) => Frame,
): Promise<Publishing> {
  const context = testContext({ name: 'ros1' });
  const sink = await ros1.create(ros1.options.parse({ master: uri, host: '127.0.0.1' }), context);
  const done = new AbortController();
  const publishing = (async () => {
    for (let seq = 0; !done.signal.aborted; seq++) {
      await sink?.write({ ...frameOf(seq), capturedAt: systemClock.wall() });
      await sleep(systemClock, everyMs, done.signal);
    }
  })();
  return {
    sent: () => (context.report() as { sent: number }).sent,
    async stop() {
      done.abort();
      await publishing;
      await context.close();
    },
  };
}
