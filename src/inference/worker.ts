import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DepthlineError, reason } from '../core/errors.ts';
import { FrameReader } from '../stream/frame-reader.ts';
import { SharedStream } from '../stream/shared-stream.ts';
import { type DepthEngine, EngineLost, FrameLost } from './engines/engine.ts';
import { openEngine } from './engines/open-engine.ts';
import type { PictureFailure, Request, Response, StreamSetup, WorkerSetup } from './protocol.ts';
import { Slot, slotMemory } from './slot.ts';
import { dropAlpha, toMetres } from './tensors.ts';
import { inferenceThread, nameThread } from './thread-name.ts';

// Engines may block the thread that calls them; this is that thread.

const setup = workerData as WorkerSetup;
const { raw, manifest } = setup;
const port = parentPort as NonNullable<typeof parentPort>;
const { input, output } = manifest;

/** Those of a call in progress, and those of one that waits so that the worker does not idle. */
const slotCount = 2 * setup.batch;
/** How long the event loop may stand still, milliseconds: what native objects leave behind is cleared in its turns. */
const turnWithinMs = 250;
const pixels = input.width * input.height;
const pictureBytes = pixels * 3;
/** ONNX Runtime does not accept shared memory. */
const pictures = new Uint8Array(setup.batch * pictureBytes);
const picture = pictures.subarray(0, pictureBytes);

nameThread(inferenceThread);
const engine = await openEngine(setup).catch(refuse);
const slots = Array.from({ length: slotCount }, () =>
  slotMemory(pixels, engine.height * engine.width),
);
const shared = slots.map((memory) => new Slot(memory));
const { width, height, description, notes = [] } = engine;
post({ type: 'ready', description, notes, slots, width, height });

let last: Promise<void> = Promise.resolve();
let closing = false;
port.on('message', accept);

function accept(request: Request): void {
  if (request.type === 'close') closing = true;
  // One at a time: a run starts some event-loop turns after its request, and runs share one input.
  last = last.then(() => work(request));
}

/** A run blocks the event loop: what came meanwhile may be that it is to close. */
function takeMessages(): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    accept(next.message as Request);
  }
}

function work(request: Request): Promise<void> {
  if (request.type === 'close') return close();
  return request.type === 'follow' ? follow(request) : infer(request);
}

/** What the user has to change keeps its message and its code; anything else ends the thread. */
function refuse(error: unknown): Promise<DepthEngine> {
  if (!(error instanceof DepthlineError)) throw error;
  post({ type: 'refused', code: error.code, message: error.message });
  return new Promise<never>(() => {});
}

/** Reads frames of a stream and runs the model on them in place, until the stream ends. */
async function follow(setup: StreamSetup): Promise<void> {
  const { thread, stream: number, descriptor, pictureUsed } = setup;
  const stream = new SharedStream(setup.memory);
  const reader = new FrameReader(() => picture);
  let turnedAt = performance.now();
  for (let n = 0; ; n++) {
    const index = n % slotCount;
    const slot = shared[index] as Slot;
    slot.waitUntilFree();
    const taken = stream.take(thread, descriptor, reader);
    if (!('seq' in taken)) {
      post({ type: 'left', stream: number, ...taken });
      return;
    }
    slot.begin(number, taken);
    const start = performance.now();
    let failure: PictureFailure | undefined;
    try {
      if (pictureUsed) slot.pixels.set(picture);
      await estimate(slot);
    } catch (error) {
      failure = failureOf(error);
    }
    slot.finish(performance.now() - start);
    post({ type: 'frame', stream: number, slot: index, ...(failure && { failure }) });
    if (start - turnedAt < turnWithinMs) continue;
    await turn();
    turnedAt = start;
  }
}

async function infer({ pictures: taken }: Extract<Request, { type: 'infer' }>): Promise<void> {
  if (closing) return;
  const start = performance.now();
  const slots = taken.map(({ slot }) => slot);
  try {
    for (const [index, { slot, alpha }] of taken.entries()) {
      const place = pictures.subarray(index * pictureBytes, (index + 1) * pictureBytes);
      const memory = shared[slot] as Slot;
      if (alpha) dropAlpha(memory.pixels, place);
      else place.set(memory.pixels.subarray(0, pictureBytes));
    }
    await estimate(...slots.map((slot) => shared[slot] as Slot));
    post({ type: 'depth', slots, ms: performance.now() - start });
  } catch (error) {
    const failure = failureOf(error);
    // One picture must not cost the others their depth.
    if (taken.length > 1) for (const one of taken) await infer({ type: 'infer', pictures: [one] });
    else for (const slot of slots) post({ type: 'failed', slot, failure });
  }
  takeMessages();
}

/** Depth of as many of `pictures`, one into each slot. */
async function estimate(...slots: readonly Slot[]): Promise<void> {
  const size = engine.width * engine.height;
  const given = engine.infer(pictures.subarray(0, slots.length * pictureBytes));
  // Without a turn of the event loop where there is nothing to wait for.
  const depth = given instanceof Promise ? await given : given;
  for (const [index, slot] of slots.entries()) {
    const own = slots.length === 1 ? depth : depth.subarray(index * size, (index + 1) * size);
    if (!raw) toMetres(own, output);
    slot.depth.set(own);
  }
}

/** @throws EngineLost, which ends the thread */
function failureOf(error: unknown): PictureFailure {
  if (error instanceof EngineLost) throw error;
  return { message: reason(error), lost: error instanceof FrameLost };
}

async function close(): Promise<void> {
  await engine.close();
  port.close();
}

function post(response: Response): void {
  port.postMessage(response);
}
