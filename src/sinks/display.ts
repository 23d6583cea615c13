import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Frame, Picture } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { minBelowMax } from '../core/interval.ts';
import { SinkClosed } from '../core/sink-closed.ts';
import { SinkLost } from '../core/sink-lost.ts';
import { liveLook, lookOptions } from '../depth/look-options.ts';
import { metricLookProblems } from '../depth/relative.ts';
import { ShownFrames } from '../depth/shown-frames.ts';
import type { Failure } from '../gstreamer/failure.ts';
import { CrashBudget } from '../gstreamer/output/crash-budget.ts';
import { ForwardTime } from '../gstreamer/output/forward-time.ts';
import { OutputCrashed, OutputProcess } from '../gstreamer/output/output-process.ts';
import type { Candidate } from '../gstreamer/output/output-protocol.ts';
import {
  availableWindows,
  type WindowKind,
  windowLine,
  windows,
} from '../gstreamer/output/windows.ts';
import type { DepthView } from '../imaging/depth-view.ts';

const options = minBelowMax(
  z.strictObject({
    title: z
      .string()
      .max(200)
      .default('Depthline')
      .describe('title of the window; x11 and xv only'),
    scale: z
      .number()
      .min(0.1)
      .max(16)
      .default(1)
      .describe('window size relative to the picture size'),
    window: z
      .enum(['auto', ...windows])
      .default('auto')
      .describe('kind of window; auto: wayland or x11, by WAYLAND_DISPLAY and DISPLAY, else gl'),
    'when-unavailable': z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('without a display: fail, or run without this sink'),
    'when-closed': z
      .enum(['continue', 'end'])
      .default('continue')
      .describe('when the window is closed: continue with the other sinks, or end the run'),
    status: z
      .boolean()
      .default(true)
      .describe('line below the panels: frames per second, age of the frame, frames not shown'),
    ...lookOptions,
  }),
);

type Options = z.output<typeof options>;

/**
 * Shows pictures in a window, from a separate process. A frame counts as delivered once the window
 * has accepted it. A process that crashes is restarted; if the display itself is gone, the branch
 * ends.
 */
export const display = defineSink({
  name: 'display',
  summary: 'Shows pictures, or depth beside its picture, in a window.',
  accepts: ['image', 'depth'],
  options,
  examples: [
    { title: 'Depth', colormap: 'viridis' },
    { scale: 2, 'when-unavailable': 'skip' },
    { window: 'x11', 'when-closed': 'end' },
  ],
  check: (options, { arriving }) => metricLookProblems(options, arriving),
  adjustable: liveLook,
  async create(options, context) {
    try {
      return await open(options, context);
    } catch (error) {
      if (!(error instanceof DepthlineError)) throw error;
      if (options['when-unavailable'] === 'fail') {
        const { code, message } = error;
        const advice = code === 'MISSING' ? `, or set "when-unavailable: skip"` : '';
        throw new DepthlineError(code, message + advice, { cause: error });
      }
      context.log.info(`skipped: ${error.message}`);
      return undefined;
    }
  },
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const kinds = availableWindows(options.window, process.env);
  if (kinds.length === 0) throw new DepthlineError('MISSING', noDisplay);
  const start = () =>
    new OutputProcess({
      what: 'display',
      candidates: kinds.map(trial),
      afterCrash: 'try another kind of window ("window: x11", "window: gl")',
      explain: (failure) => explain(failure, options),
    });
  const { DepthView } = await import('../imaging/depth-view.ts');
  const shown = new ShownFrames(context.clock);
  const status = options.status ? (frame: Frame) => shown.status(frame) : undefined;
  const view = new DepthView({ ...options, status });
  context.onAdjust<Options>((changed) => view.adjust(changed));
  const window = new Window(options, context, start, view);
  context.defer(() => window.stop());
  await window.open();
  context.summary(() => ({ window: window.kind, frames: window.frames }));
  return window;
}

const noDisplay =
  'there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set; run it on a desktop or over ' +
  '"ssh -X", or set DISPLAY (on a Jetson with a screen: DISPLAY=:0)';

function trial(kind: WindowKind): Candidate {
  return { name: kind, trial: `appsrc ! ${windowLine(kind)}`, opens: true };
}

function explain(failure: Failure, options: Options): Error | undefined {
  if (/window was closed/i.test(failure.message)) {
    return new SinkClosed('window closed', options['when-closed'] === 'end' ? 'run' : 'branch');
  }
  if (!/(could not|failed to|cannot) (open|initiali[sz]e|connect)/i.test(failure.message))
    return undefined;
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const where = Object.entries({ DISPLAY, WAYLAND_DISPLAY })
    .filter(([, value]) => value)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
  return new DepthlineError(
    'MISSING',
    `the display (${where}) cannot be opened: ${failure.message}; check that it is running and that this user has access to it (xhost)`,
  );
}

class Window implements Sink {
  frames = 0;
  kind: WindowKind | undefined;
  readonly #options: Options;
  readonly #start: () => OutputProcess;
  readonly #view: DepthView;
  readonly #crashes: CrashBudget;
  #output: OutputProcess | undefined;
  #stopped = false;
  #size: string | undefined;
  /** Times of the current process, once it shows something. */
  #time: ForwardTime | undefined;

  constructor(
    options: Options,
    context: ComponentContext,
    start: () => OutputProcess,
    view: DepthView,
  ) {
    this.#options = options;
    this.#start = start;
    this.#view = view;
    this.#crashes = new CrashBudget(context, 'the window process');
  }

  async open(): Promise<OutputProcess> {
    if (this.#stopped) throw new SinkLost('the run has ended');
    this.#output ??= this.#start();
    const output = this.#output;
    this.kind = (await output.opened).name as WindowKind;
    return output;
  }

  async write(frame: Frame): Promise<void> {
    const picture = await this.#view.render(frame);
    const size = `${picture.width}×${picture.height} ${picture.format}`;
    this.#size ??= size;
    if (size !== this.#size) {
      throw new FrameRefused(
        `a window has one size: it began with ${this.#size}, frame ${frame.seq} is ${size}; put a resize before it`,
      );
    }
    for (;;) {
      try {
        await this.#show(frame.pts, picture);
        return;
      } catch (error) {
        if (error instanceof SinkClosed) throw error;
        if (!(error instanceof OutputCrashed)) throw new SinkLost(reason(error), { cause: error });
        await this.#end();
        await this.#crashes.restart(error);
      }
    }
  }

  /** Ends the process; none is started afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    this.#time = undefined;
    await output?.stop();
  }

  async #show(pts: bigint, picture: Picture): Promise<void> {
    const output = await this.open();
    if (!this.#time) {
      this.#time = new ForwardTime();
      this.#play(output, picture);
    }
    await output.write(this.#time.next(pts), picture.data);
    this.frames++;
    this.#crashes.delivered();
  }

  #play(output: OutputProcess, { format, width, height }: Picture): void {
    const { scale, title } = this.#options;
    output.play({
      format: format === 'rgba' ? 'RGBA' : 'RGB',
      width,
      height,
      rate: '0/1',
      elements: windowLine(this.kind as WindowKind, {
        width: Math.max(16, Math.round(width * scale)),
        height: Math.max(16, Math.round(height * scale)),
        title,
      }),
      waiting: 0,
    });
  }
}
