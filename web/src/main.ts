import { type ColormapName, colormaps } from '../../src/depth/colormap.ts';
import type { ServerMessage } from '../../src/web/live-message.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { Decoder, type ShownFrame } from './decoder.ts';
import { depthPng } from './depth-png.ts';
import { element } from './element.ts';
import { DepthPainter, gradient, paintPicture, type Range } from './paint.ts';
import { inUnits, Points } from './points.ts';
import { Rate } from './rate.ts';

const canvas = { picture: element<HTMLCanvasElement>('picture') };
const painter = new DepthPainter(element<HTMLCanvasElement>('depth'));
const views = element('views');
const colormapChoice = element<HTMLSelectElement>('colormap');
const autoRange = element<HTMLInputElement>('auto-range');
const near = element<HTMLInputElement>('near');
const far = element<HTMLInputElement>('far');
const pause = element<HTMLButtonElement>('pause');
const savePicture = element<HTMLButtonElement>('save-picture');
const saveDepth = element<HTMLButtonElement>('save-depth');
const tokenForm = element<HTMLFormElement>('token-form');
const tokenField = element<HTMLInputElement>('token');

const decoder = new Decoder();
const points = new Points();
const rate = new Rate();
let shown: ShownFrame | undefined;
let range: Range = { min: 0, max: 1 };
let run: string | undefined;
let dropped = 0;

for (const name of colormaps) colormapChoice.add(new Option(name, name));
colormapChoice.value = 'magma';

const texts: Readonly<Record<ConnectionState, string>> = {
  connecting: 'connecting',
  live: 'live',
  paused: 'paused',
  lost: 'not connected; trying again',
  token: 'a token is needed',
};

const connection = new Connection(
  {
    state(state) {
      const status = element('connection');
      status.dataset.state = state;
      status.textContent = texts[state];
      tokenForm.hidden = state !== 'token';
      if (state === 'token') askForToken();
    },
    message: receive,
    async frame(message) {
      const at = performance.now();
      const frame = await decoder.decode(message);
      if (!paused()) show(frame, performance.now() - at);
      else frame.picture?.close();
      return frame.header.seq;
    },
  },
  takeToken(),
);
connection.connect();

function receive(message: ServerMessage): void {
  if (message.type === 'status') {
    dropped = message.dropped;
    return;
  }
  if (message.run !== run) {
    painter.reset();
    rate.reset();
    dropped = 0;
  }
  run = message.run;
  document.title = message.title;
  element('title').textContent = message.title;
}

function show(frame: ShownFrame, decodeMs: number): void {
  shown?.picture?.close();
  shown = frame;
  const { header, depth, picture } = frame;
  views.dataset.depth = depth ? 'some' : 'none';
  views.dataset.picture = picture ? 'some' : 'none';
  for (const panel of ['picture-panel', 'depth-panel'])
    element(panel).style.setProperty('--aspect', String(header.aspect));
  if (picture) paintPicture(canvas.picture, picture);
  if (depth && autoRange.checked) range = painter.follow(depth, header.ptsMs);
  paintDepth();
  points.show(depth);
  savePicture.disabled = !picture;
  saveDepth.disabled = !depth;
  rate.add(header.seq);
  const parts = [
    ...(rate.fps === undefined ? [] : [`${rate.fps.toFixed(1)} fps`]),
    `${Math.round(header.ageMs + decodeMs)} ms old`,
    `frame ${header.seq}`,
    ...(dropped > 0 ? [`${dropped} skipped by this page`] : []),
  ];
  element('stats').textContent = parts.join(' · ');
}

function paintDepth(): void {
  const depth = shown?.depth;
  element('bar').hidden = !depth;
  if (!depth) return;
  const name = colormapChoice.value as ColormapName;
  if (!autoRange.checked) range = fixedRange();
  painter.paint(depth, name, range);
  element('bar-colors').style.background = gradient(name);
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
  connection.watch(!paused() && !document.hidden);
}

pause.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!paused()));
  rate.reset();
  watch();
});
document.addEventListener('visibilitychange', watch);

element('view-choice').addEventListener('change', () => {
  const chosen = document.querySelector<HTMLInputElement>('input[name=view]:checked');
  views.dataset.view = chosen?.value ?? 'side';
  element('blend-label').hidden = chosen?.value !== 'blend';
  setBlend();
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
  paintDepth();
});
for (const control of [colormapChoice, near, far]) control.addEventListener('input', paintDepth);

element('clear-pins').addEventListener('click', () => points.clear());
savePicture.addEventListener('click', () => {
  const seq = shown?.header.seq;
  canvas.picture.toBlob((blob) => {
    if (blob) save(blob, `picture-${seq}.png`);
  }, 'image/png');
});
saveDepth.addEventListener('click', async () => {
  if (!shown?.depth) return;
  const { seq } = shown.header;
  save(await depthPng(shown.depth), `depth-${seq}.png`);
});

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function askForToken(): void {
  element('token-problem').textContent = sessionStorage.getItem('token')
    ? 'This token is not the right one.'
    : '';
  tokenField.value = '';
  tokenField.focus();
}

tokenForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', tokenField.value);
  connection.connect(tokenField.value);
});

/** The token of `#token=…`, which does not leave the browser, or the one that was typed before. */
function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem('token') ?? undefined;
}
