import { type ColormapName, colormaps } from '../../src/depth/colormap.ts';
import type { ServerMessage } from '../../src/web/live-message.ts';
import { CameraChoice } from './camera-choice.ts';
import { CloudPanel } from './cloud-panel.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { Decoder, type ShownFrame } from './decoder.ts';
import { element } from './element.ts';
import { HistoryCharts } from './history-charts.ts';
import { DepthPainter, gradient, paintPicture, type Range } from './paint.ts';
import { inUnits, Points } from './points.ts';
import { Rate } from './rate.ts';
import { RunPanel } from './run-panel.ts';
import { Snapshots } from './snapshot.ts';
import { TokenForm } from './token-form.ts';

const picture = element<HTMLCanvasElement>('picture');
const painter = new DepthPainter(element<HTMLCanvasElement>('depth'));
const views = element('views');
const colormapChoice = element<HTMLSelectElement>('colormap');
const autoRange = element<HTMLInputElement>('auto-range');
const near = element<HTMLInputElement>('near');
const far = element<HTMLInputElement>('far');
const pause = element<HTMLButtonElement>('pause');

const decoder = new Decoder();
const points = new Points();
const rate = new Rate();
const charts = new HistoryCharts();
const runPanel = new RunPanel();
const cloud = new CloudPanel(() => ({ colors: chosenColors(), range }));
const snapshots = new Snapshots({ frame: () => shown, picture, degrees: () => cloud.degrees });
const cameras = new CameraChoice(() => {
  forget();
  blank();
  watch();
});
let shown: ShownFrame | undefined;
let shownAt = 0;
let ageMs = 0;
let range: Range = { min: 0, max: 1 };
let run: string | undefined;
let dropped = 0;
let connected: ConnectionState = 'connecting';

for (const name of colormaps) colormapChoice.add(new Option(name, name));
colormapChoice.value = 'magma';

const texts: Readonly<Record<ConnectionState, string>> = {
  connecting: 'connecting',
  live: 'live',
  paused: 'paused',
  full: 'too many pages are open; trying again',
  lost: 'not connected; trying again',
  token: 'a token is needed',
};

const tokenForm = new TokenForm((token) => connection.connect(token));
const connection = new Connection(
  {
    state: showConnection,
    message: receive,
    async frame(message) {
      const at = performance.now();
      const frame = await decoder.decode(message);
      // One of the camera before may still be on its way.
      const wanted = !paused() && frame.header.camera === cameras.camera;
      if (wanted) show(frame, performance.now() - at);
      else frame.picture?.close();
      return frame.header.seq;
    },
  },
  tokenForm.known(),
);
connection.connect();

function showConnection(state: ConnectionState): void {
  connected = state;
  const status = element('connection');
  status.dataset.state = state;
  status.textContent = texts[state];
  tokenForm.show(state === 'token');
}

function receive(message: ServerMessage): void {
  if (message.type === 'status') dropped = message.dropped;
  else if (message.type === 'run') runPanel.show(message.stats, cameras.camera);
  else begin(message);
}

function begin(hello: Extract<ServerMessage, { type: 'hello' }>): void {
  if (hello.run !== run) {
    forget();
    dropped = 0;
  }
  run = hello.run;
  cameras.offer(hello.cameras);
  if (hello.cameras) watch();
  document.title = hello.title;
  element('title').textContent = hello.title;
}

/** What was learned from frames that have nothing to do with the next. */
function forget(): void {
  painter.reset();
  rate.reset();
  charts.reset();
}

/** Until the other camera has given a frame, nothing is shown: not the frame of the one before under its name. */
function blank(): void {
  shown?.picture?.close();
  shown = undefined;
  views.dataset.blank = '';
  element('bar').hidden = true;
  element('stats').textContent = '';
  points.show(undefined);
  snapshots.show({ depth: undefined, picture: undefined });
}

function show(frame: ShownFrame, decodeMs: number): void {
  const last = shown?.picture;
  shown = frame;
  delete views.dataset.blank;
  const { header, depth } = frame;
  views.dataset.depth = depth ? 'some' : 'none';
  views.dataset.picture = frame.picture ? 'some' : 'none';
  for (const panel of ['picture-panel', 'depth-panel'])
    element(panel).style.setProperty('--aspect', String(header.aspect));
  if (frame.picture) paintPicture(picture, frame.picture);
  if (depth && autoRange.checked) range = painter.follow(depth, header.ptsMs);
  paintDepth();
  points.show(depth);
  cloud.show(frame);
  snapshots.show(frame);
  last?.close();
  rate.add(header.seq);
  shownAt = performance.now();
  ageMs = header.ageMs + decodeMs;
  charts.add(ageMs);
  showStats();
}

/** How long no frame may come before the page says so, milliseconds. */
const quietMs = 2000;

function showStats(): void {
  if (!shown) return;
  const quiet = performance.now() - shownAt;
  const parts = [
    ...(connected === 'live' && quiet > quietMs
      ? [`no frame for ${Math.round(quiet / 1000)} s`]
      : rate.fps === undefined
        ? []
        : [`${rate.fps.toFixed(1)} fps`]),
    `${Math.round(ageMs)} ms old`,
    `frame ${shown.header.seq}`,
    ...(dropped > 0 ? [`${dropped} skipped by this page`] : []),
  ];
  element('stats').textContent = parts.join(' · ');
}

setInterval(() => {
  if (connected !== 'live' || document.hidden) return;
  charts.tick();
  showStats();
}, 1000);

function chosenColors(): ColormapName {
  return colormapChoice.value as ColormapName;
}

function paintDepth(): void {
  const depth = shown?.depth;
  element('bar').hidden = !depth;
  if (!depth) return;
  if (!autoRange.checked) range = fixedRange();
  painter.paint(depth, chosenColors(), range);
  element('bar-colors').style.background = gradient(chosenColors());
  const labels = Array.from({ length: 5 }, (_, i) => {
    const value = range.min + (i / 4) * (range.max - range.min);
    return depth.relative ? (['near', '', '', '', 'far'][i] as string) : inUnits(value, false);
  });
  const holder = element('bar-labels');
  while (holder.children.length < labels.length) holder.append(document.createElement('span'));
  for (const [i, label] of labels.entries()) (holder.children[i] as Element).textContent = label;
  element('bar').setAttribute('aria-label', `Colours of depth, from ${labels[0]} to ${labels[4]}`);
  for (const unit of document.querySelectorAll<HTMLElement>('.unit')) unit.hidden = depth.relative;
}

function fixedRange(): Range {
  const min = Math.max(0, near.valueAsNumber || 0);
  return { min, max: Math.max(min + 0.001, far.valueAsNumber || 0) };
}

function paused(): boolean {
  return pause.getAttribute('aria-pressed') === 'true';
}

function watch(): void {
  // A hidden tab needs no frames.
  rate.reset();
  shownAt = performance.now();
  connection.watch(!paused() && !document.hidden, cameras.camera);
}

pause.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!paused()));
  watch();
});
document.addEventListener('visibilitychange', watch);

element('view-choice').addEventListener('change', () => {
  const chosen = document.querySelector<HTMLInputElement>('input[name=view]:checked');
  views.dataset.view = chosen?.value ?? 'side';
  element('blend-label').hidden = chosen?.value !== 'blend';
  setBlend();
  cloud.shown = chosen?.value === 'cloud';
});
element('blend').addEventListener('input', setBlend);

function setBlend(): void {
  const share = Number(element<HTMLInputElement>('blend').value) / 100;
  element('depth').style.opacity = views.dataset.view === 'blend' ? String(share) : '1';
}

autoRange.addEventListener('change', () => {
  near.disabled = autoRange.checked;
  far.disabled = autoRange.checked;
  if (!autoRange.checked) {
    near.value = range.min.toFixed(2);
    far.value = range.max.toFixed(2);
  }
  repaint();
});
for (const control of [colormapChoice, near, far]) control.addEventListener('input', repaint);

function repaint(): void {
  paintDepth();
  cloud.draw();
}

element('clear-pins').addEventListener('click', () => points.clear());
