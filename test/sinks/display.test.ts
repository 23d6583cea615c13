import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/core/component.ts';
import { display } from '../../src/sinks/display.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { isRunning, until } from '../support/gstreamer.ts';
import { processesOf } from '../support/processes.ts';
import { openScreen, type Screen } from '../support/screen.ts';

const title = 'Depth of a test';
const before = { ...process.env };
let screen: Screen;
let context: TestContext;

beforeEach(async () => {
  screen = await openScreen();
  process.env.DISPLAY = screen.display;
  delete process.env.WAYLAND_DISPLAY;
});
afterEach(async () => {
  await context.close();
  expect(processesOf('output-host')).toEqual([]);
  await screen.stop();
  process.env = { ...before };
});

async function open(options: object): Promise<Sink | undefined> {
  context = testContext();
  return display.create(display.options.parse({ title, ...options }), context);
}

function shown(): [number, number, number][] {
  const picture = screen.picture(title);
  if (!picture) return [];
  const { width, height, data } = picture;
  const at = (x: number, y: number) => {
    const start = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
    return [...data.subarray(start, start + 3)] as [number, number, number];
  };
  return [at(0.25, 0.5), at(0.75, 0.5)];
}

const red = [255, 0, 0] as const;
const blue = [0, 0, 255] as const;

describe('display', () => {
  it('shows pictures, the newest in the end, scaled', async () => {
    const sink = (await open({ scale: 2 })) as Sink;
    await sink.write(imageFrame(64, 48, 0, () => blue));
    await until(() => shown()[0]?.[2] === 255);
    await sink.write(imageFrame(64, 48, 1, (x) => (x < 32 ? red : blue)));
    await until(() => shown()[0]?.[0] === 255);
    const [left, right] = shown();
    expect([left, right]).toEqual([red, blue]);
    const { width, height } = screen.picture(title) ?? {};
    expect([width, height]).toEqual([128, 96]);
    expect(context.report()).toEqual({ window: 'x11', frames: 2 });
  });

  it('shows depth in colours: near and far differ', async () => {
    const sink = (await open({ colormap: 'grey', min: 1, max: 5 })) as Sink;
    await sink.write(depthFrame(64, 48, 0, (x) => (x < 32 ? 1 : 5)));
    await until(() => shown().length > 0 && shown()[0]?.[0] !== shown()[1]?.[0]);
    const [near, far] = shown().map(([grey]) => grey);
    expect(Math.abs((near ?? 0) - (far ?? 0))).toBeGreaterThan(240);
  });

  it('refuses a picture of another size', async () => {
    const sink = (await open({})) as Sink;
    await sink.write(imageFrame(64, 48));
    await expect(sink.write(imageFrame(32, 48, 1))).rejects.toThrow(
      'a window has one size: it began with 64×48 rgb, frame 1 is 32×48 rgb; put a resize before it',
    );
  });

  it.each(['branch', 'run'] as const)('ends the %s when the window is closed', async (ends) => {
    const sink = (await open({ 'when-closed': ends === 'run' ? 'end' : 'continue' })) as Sink;
    await sink.write(imageFrame(64, 48));
    await until(() => shown().length > 0);
    screen.close(title);
    const closed = async () => {
      for (let seq = 1; ; seq++) await sink.write(imageFrame(64, 48, seq));
    };
    await expect(closed()).rejects.toMatchObject({ name: 'SinkClosed', ends });
  });

  it('says so when the screen goes away', async () => {
    const sink = (await open({})) as Sink;
    await sink.write(imageFrame(64, 48));
    await until(() => shown().length > 0);
    await screen.stop();
    const gone = async () => {
      for (let seq = 1; ; seq++) await sink.write(imageFrame(64, 48, seq));
    };
    await expect(gone()).rejects.toMatchObject({
      name: 'SinkLost',
      message: expect.stringMatching(/display/),
    });
  });

  it('gets another window when its process crashes', async () => {
    const sink = (await open({})) as Sink;
    await sink.write(imageFrame(64, 48));
    const [pid] = processesOf('output-host') as [number];
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
    for (let seq = 1; seq < 4; seq++) await sink.write(imageFrame(64, 48, seq));
    await until(() => shown().length > 0);
    expect(context.counts.restarts).toHaveLength(1);
    expect(context.report()).toMatchObject({ frames: 4 });
  });

  it('without a display says what to do, or is skipped', async () => {
    delete process.env.DISPLAY;
    await expect(open({})).rejects.toThrow(/no display.*DISPLAY.*when-unavailable: skip/s);
    expect(await open({ 'when-unavailable': 'skip' })).toBeUndefined();
    expect(context.logs.at(-1)?.message).toMatch(/^skipped: .*DISPLAY=:0\)$/);
    expect(context.logs.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^skipped: there is no display/),
    ]);
  });

  it('that does not answer is named', async () => {
    process.env.DISPLAY = ':987';
    await expect(open({})).rejects.toThrow(/DISPLAY=:987.*cannot be opened/s);
  });
});
