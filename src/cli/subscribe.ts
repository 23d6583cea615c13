import { Command } from 'commander';
import { ageMs, systemClock } from '../core/clock.ts';
import type { DepthUnit } from '../core/frame.ts';
import { depthExtent } from '../depth/valid-pixels.ts';
import { type ReceivedFrame, subscribeDepth } from '../topic/subscribe-depth.ts';
import { positiveWhole } from './arguments.ts';
import { print, printError, printJson } from './output.ts';
import { openSaver } from './save-frames.ts';

interface Flags {
  readonly topic: string;
  readonly latest?: true;
  readonly count?: number;
  readonly json?: true;
  readonly save?: string;
}

/** Time without a frame after which a notice is printed, milliseconds. */
const patienceMs = 3000;

export function subscribeCommand(): Command {
  return new Command('subscribe')
    .description(
      'subscribe to a depth topic; show frame rate, age and depth range, or each value of a data topic',
    )
    .argument('<endpoint>', 'endpoint of the publisher, such as tcp://127.0.0.1:5556')
    .option('--topic <name>', 'name of the topic', 'depth')
    .option('--latest', 'read only the newest frame and skip those that arrive meanwhile')
    .option('--count <n>', 'stop after this many frames', positiveWhole)
    .option('--json', 'print one JSON object per frame')
    .option(
      '--save <dir>',
      'save each frame as a NumPy file, with an index.csv; existing files are kept',
    )
    .action(read);
}

async function read(endpoint: string, flags: Flags): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const saver = flags.save === undefined ? undefined : await openSaver(flags.save);
  const waiting = setTimeout(() => {
    printError(
      `no frames from ${endpoint} on topic "${flags.topic}" yet; still waiting (Ctrl-C to stop)`,
    );
  }, patienceMs);
  const meter = new Meter();
  let corrupt = 0;
  const frames = subscribeDepth(endpoint, {
    topic: flags.topic,
    latest: flags.latest === true,
    signal: stop.signal,
    onCorrupt: (error) => {
      if (corrupt++ === 0) printError(error.message);
    },
  });
  let count = 0;
  let last: Facts | undefined;
  try {
    for await (const frame of frames) {
      clearTimeout(waiting);
      const facts = describe(frame);
      meter.add(facts);
      last = facts;
      if (flags.json) printJson(facts);
      else if (frame.kind === 'data') print(valueLine(facts));
      else if (meter.due()) print(meter.line(facts));
      await saver?.save(frame);
      if (++count === flags.count) break;
    }
  } finally {
    clearTimeout(waiting);
    await saver?.close();
  }
  if (flags.json) return;
  // A stream that ended within its first second.
  if (last && last.kind !== 'data' && !meter.hasReported) print(meter.line(last));
  print(
    `${count} ${count === 1 ? 'frame' : 'frames'}${corrupt > 0 ? `, ${corrupt} corrupt ${corrupt === 1 ? 'message' : 'messages'}` : ''}`,
  );
}

interface Facts {
  readonly seq: number;
  readonly kind: string;
  readonly ageMs: number;
  readonly dropped: number;
  readonly width?: number;
  readonly height?: number;
  /** Nearest and farthest valid depth, in `unit`. */
  readonly range?: readonly [number, number];
  readonly unit?: DepthUnit;
  readonly value?: unknown;
}

function describe(frame: ReceivedFrame): Facts {
  const common = {
    seq: frame.seq,
    kind: frame.kind,
    ageMs: Math.round(ageMs(systemClock, frame) * 10) / 10,
    dropped: frame.header.dropped,
  };
  if (frame.kind === 'depth') {
    const { width, height, unit = 'm' } = frame;
    return { ...common, width, height, range: validRange(frame.data), unit };
  }
  if (frame.kind === 'image') return { ...common, width: frame.width, height: frame.height };
  return frame.kind === 'data' ? { ...common, value: frame.value } : common;
}

function valueLine({ seq, ageMs, dropped, value }: Facts): string {
  const text = [`seq ${seq}`, `age ${ageMs} ms`, droppedText(dropped), JSON.stringify(value)];
  return text.filter(Boolean).join(' | ');
}

function droppedText(dropped: number): string {
  return dropped > 0 ? `${dropped} dropped before this frame` : '';
}

function validRange(metres: Float32Array): [number, number] {
  const { min, max } = depthExtent(metres) ?? { min: 0, max: 0 };
  return [min, max];
}

/** Rate and age over the last second. */
class Meter {
  #since = systemClock.now();
  #ages: number[] = [];
  /** A line was asked for. */
  hasReported = false;

  add(facts: Facts): void {
    this.#ages.push(facts.ageMs);
  }

  due(): boolean {
    return systemClock.now() - this.#since >= 1000;
  }

  line({ seq, range, unit, dropped }: Facts): string {
    this.hasReported = true;
    const seconds = (systemClock.now() - this.#since) / 1000;
    const ages = this.#ages.sort((a, b) => a - b);
    const text = [
      `${(ages.length / seconds).toFixed(1)} fps`,
      `age ${ages[ages.length >> 1]} ms`,
      range ? `range ${range[0].toFixed(2)}…${range[1].toFixed(2)} ${unit}` : '',
      `seq ${seq}`,
      droppedText(dropped),
    ];
    this.#since = systemClock.now();
    this.#ages = [];
    return text.filter(Boolean).join(' | ');
  }
}
