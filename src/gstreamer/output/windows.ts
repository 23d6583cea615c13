import { quote } from '../launch-line.ts';

/** Kinds of window, in the order in which they are tried. */
export const windows = ['wayland', 'x11', 'gl', 'xv', 'jetson'] as const;
export type WindowKind = (typeof windows)[number];

interface Kind {
  readonly sink: string;
  /** Elements between a scaled picture and the sink. */
  readonly before?: string;
  /** Environment variables, one of which must be set. */
  readonly needs: readonly string[];
  readonly auto: boolean;
}

const kinds: Readonly<Record<WindowKind, Kind>> = {
  wayland: { sink: 'waylandsink', needs: ['WAYLAND_DISPLAY'], auto: true },
  x11: { sink: 'ximagesink', needs: ['DISPLAY'], auto: true },
  gl: { sink: 'glimagesink', needs: ['DISPLAY', 'WAYLAND_DISPLAY'], auto: true },
  xv: { sink: 'xvimagesink', needs: ['DISPLAY'], auto: false },
  jetson: {
    sink: 'nv3dsink',
    before: 'video/x-raw,format=RGBA ! nvvidconv ! video/x-raw(memory:NVMM)',
    needs: ['DISPLAY'],
    auto: false,
  },
};

/** Kinds of window to try: the named one, or all that the environment variables allow. */
export function availableWindows(
  wanted: WindowKind | 'auto',
  environment: Readonly<Record<string, string | undefined>>,
): WindowKind[] {
  return windows.filter(
    (name) =>
      (wanted === 'auto' ? kinds[name].auto : wanted === name) &&
      kinds[name].needs.some((variable) => environment[variable]),
  );
}

export interface WindowLook {
  readonly width: number;
  readonly height: number;
  readonly title: string;
}

/** Launch line from raw pictures to a window; without `look` only the sink element, for a trial. */
export function windowLine(name: WindowKind, look?: WindowLook): string {
  const { sink, before } = kinds[name];
  // Display each picture at once: timestamps are already in the past, and waiting adds latency.
  const last = `${sink} sync=false`;
  if (!look) return last;
  const tags = `title=${quote(look.title)}`;
  return [
    'videoconvert ! videoscale',
    `video/x-raw,width=${look.width},height=${look.height},pixel-aspect-ratio=1/1`,
    // For a window that is resized by the user.
    'videoscale ! videoconvert',
    `taginject tags=${quote(tags)}`,
    ...(before ? [before] : []),
    last,
  ].join(' ! ');
}
