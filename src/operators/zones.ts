import { concatMap, EMPTY, of } from 'rxjs';
import { adjusted, remade } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import { type DataFrame, type DepthFrame, derive } from '../core/frame.ts';
import { metricProblems, requireMetric } from '../depth/relative.ts';
import { Presence, type PresenceEvent } from '../zones/presence.ts';
import { type ZoneOptions, type ZonesOptions, zonesOptions } from '../zones/zone-options.ts';
import { ZonePixels } from '../zones/zone-pixels.ts';
import type { ZoneEvent, ZoneState, ZonesValue } from '../zones/zones-value.ts';

const needsMetres = 'zones compare distances in metres';
const noIntrinsics =
  'a box in space needs camera intrinsics, and the frames have none: set intrinsics on the source';

/**
 * Watches zones: boxes or polygons in the picture, and boxes in space. The distance of a zone is a low
 * percentile of its valid depths, so that single wrong pixels do not count. Something has entered when
 * it was near for `enter-after`, and has left when it was farther, by the hysteresis, for
 * `leave-after`; both by presentation time. The result is a data frame.
 */
export const zones = defineOperator({
  name: 'zones',
  summary:
    'Watches zones of the picture or of space: nearest distance, and what enters and leaves.',
  accepts: ['depth'],
  emits: ['data'],
  usesPicture: () => false,
  options: zonesOptions,
  examples: [
    { zones: { door: { box: [0.3, 0.1, 0.7, 0.9], within: 0.5 } } },
    {
      zones: {
        bench: {
          polygon: [
            [0.1, 1],
            [0.3, 0.4],
            [0.8, 0.4],
            [1, 1],
          ],
          within: 1.2,
        },
      },
      emit: 'changes',
    },
  ],
  adjustable: ['zones', 'nearest', 'min-pixels', 'hysteresis', 'enter-after', 'leave-after'],
  check(options, { arriving }) {
    const inSpace = Object.entries(options.zones).find(([, { space }]) => space);
    const blind = inSpace !== undefined && arriving.intrinsics === false;
    return [
      ...metricProblems(arriving, undefined, needsMetres),
      ...(blind ? [{ path: ['zones', inSpace[0], 'space'], message: noIntrinsics }] : []),
    ];
  },
  async create(options, context) {
    const current = adjusted(options, context);
    const counts = countsOf(context);
    return (input) => {
      const watched = remade<ZonesOptions, Watched[]>(current, (now, before) =>
        watch(now, before ?? []),
      );
      let first = true;
      return input.pipe(
        concatMap((frame) => {
          const depth = frame as DepthFrame;
          requireMetric(depth, needsMetres);
          const value = readZones(depth, watched(), current(), (text) => context.log.warn(text));
          for (const { zone, event } of value.events) counts.add(zone, event);
          const wanted = first || current().emit === 'all' || value.events.length > 0;
          first = false;
          if (!wanted) {
            context.dropped(1, 'unchanged');
            return EMPTY;
          }
          const result: DataFrame = { ...derive(depth), kind: 'data', value };
          return of(result);
        }),
      );
    };
  },
});

interface Watched {
  readonly name: string;
  readonly zone: ZoneOptions;
  readonly pixels: ZonePixels;
  readonly presence: Presence;
  /** It has been said that the frames show too little of it. */
  unseen: boolean;
}

/** A zone keeps its state when its options change. */
function watch({ zones, nearest }: ZonesOptions, before: readonly Watched[]): Watched[] {
  return Object.entries(zones).map(([name, zone]) => ({
    name,
    zone,
    pixels: new ZonePixels(zone, nearest),
    presence: before.find((one) => one.name === name)?.presence ?? new Presence(),
    unseen: false,
  }));
}

function readZones(
  frame: DepthFrame,
  watched: readonly Watched[],
  options: ZonesOptions,
  warn: (message: string) => void,
): ZonesValue {
  const events: ZoneEvent[] = [];
  const states: [string, ZoneState][] = [];
  const holds = { enterAfter: options['enter-after'], leaveAfter: options['leave-after'] };
  for (const one of watched) {
    const { name, zone, pixels, presence } = one;
    if (zone.space && !frame.intrinsics) throw new DepthlineError('OPERATOR', noIntrinsics);
    const slack = presence.inside ? options.hysteresis : 0;
    const reading = pixels.read(frame, slack);
    if (reading.shown < options['min-pixels'] && !one.unseen) {
      one.unseen = true;
      warn(unseen(name, reading.shown, frame, options['min-pixels']));
    }
    const enough = reading.pixels >= options['min-pixels'];
    const distance = enough ? (reading.distance as number) : undefined;
    const seen = zone.space ? enough : near(distance, (zone.within as number) + slack);
    const rounded = distance === undefined ? null : Math.round(distance * 1000) / 1000;
    const event = presence.update(seen, frame.pts, frame.capturedAt, holds);
    if (event) events.push({ zone: name, event, distance: rounded });
    const { inside, since } = presence;
    states.push([name, { inside, distance: rounded, since: timeText(since) }]);
  }
  return { zones: Object.fromEntries(states), events };
}

function unseen(name: string, shown: number, { width, height }: DepthFrame, least: number): string {
  return `zone ${name} has ${shown} pixels of the ${width}×${height} frame, and less than min-pixels (${least}) never change its state: enlarge it, move it to where the network looks, or lower min-pixels`;
}

function near(distance: number | undefined, limit: number): boolean | undefined {
  return distance === undefined ? undefined : distance <= limit;
}

function timeText(nanoseconds: bigint | undefined): string | null {
  if (nanoseconds === undefined) return null;
  const time = new Date(Number(nanoseconds / 1_000_000n));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** Counts of the run's summary. */
function countsOf(context: ComponentContext) {
  const counts = new Map<string, { enter: number; leave: number }>();
  context.summary(() => ({ events: Object.fromEntries(counts) }));
  return {
    add(zone: string, event: PresenceEvent) {
      const of = counts.get(zone) ?? { enter: 0, leave: 0 };
      of[event]++;
      counts.set(zone, of);
    },
  };
}
