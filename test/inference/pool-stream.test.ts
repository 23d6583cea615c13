import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { InferenceThread, StreamEvents } from '../../src/inference/inference-thread.ts';
import { PoolStream } from '../../src/inference/pool-stream.ts';
import type { StreamSetup } from '../../src/inference/protocol.ts';
import { FrameReader } from '../../src/stream/frame-reader.ts';
import { SharedStream, type StreamOver } from '../../src/stream/shared-stream.ts';
import { makeVideo } from '../support/gstreamer.ts';

let directory: string;
let path: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pool-stream-'));
  path = join(directory, 'frames.gdp');
  const encode = 'video/x-raw,format=RGB ! gdppay';
  makeVideo(path, { frames: 5, width: 8, height: 4, fps: 25, encode });
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** A stream, and a worker of it whose steps the test makes in this thread. */
function open() {
  const descriptor = openSync(path, 'r');
  const stream = new PoolStream({
    ...{ descriptor, pictureUsed: false },
    onFrame: () => {},
    onEnd: () => {},
    onOutcome: () => {},
  });
  let setup!: StreamSetup;
  let events!: StreamEvents;
  const worker = {
    follow(given: StreamSetup, told: StreamEvents) {
      setup = given;
      events = told;
    },
  };
  stream.add(worker as unknown as InferenceThread, 1);
  const shared = new SharedStream(setup.memory);
  const reader = new FrameReader();
  const take = () => shared.take(1, descriptor, reader);
  return { stream, take, events: () => events, end: () => closeSync(descriptor) };
}

/** The stream is closed at the end of the frame that is being read, when the worker has seen that it is not. */
function closeAtEndOfFrame(stream: PoolStream) {
  const is = { closed: false };
  const { bigint } = process.hrtime;
  let looks = 0;
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => {
    // The first time is taken before the frame is read, the second when it has arrived.
    if (++looks === 2)
      void stream.close().then(() => {
        is.closed = true;
      });
    return bigint.call(process.hrtime);
  });
  return is;
}

it('that is closed in the moment in which a worker has read a frame is closed when it reads no more', async () => {
  const { stream, take, events, end } = open();
  stream.ask(2);
  const is = closeAtEndOfFrame(stream);
  expect(take()).toMatchObject({ seq: 0n });
  const left = take() as StreamOver;
  expect(left).toEqual({ ended: false });
  await setImmediate();
  expect(is.closed).toBe(false);
  events().onLeft(left);
  await setImmediate();
  expect(is.closed).toBe(true);
  end();
});

it('the same when the worker dies of that frame', async () => {
  const { stream, take, events, end } = open();
  stream.ask(2);
  const is = closeAtEndOfFrame(stream);
  expect(take()).toMatchObject({ seq: 0n });
  events().onDied();
  await setImmediate();
  expect(is.closed).toBe(true);
  end();
});
