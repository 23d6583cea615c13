import type { PresenceEvent } from './presence.ts';

/** A zone in the `value` of a frame. */
export interface ZoneState {
  readonly inside: boolean;
  /** Nearest distance, metres; null if nothing was measured there. */
  readonly distance: number | null;
  /** Capture time from which it has been so, ISO 8601; null before the first reading. */
  readonly since: string | null;
}

export interface ZoneEvent {
  readonly zone: string;
  readonly event: PresenceEvent;
  readonly distance: number | null;
}

/** The `value` of the frames of `zones`. */
export interface ZonesValue {
  readonly zones: Readonly<Record<string, ZoneState>>;
  /** What this frame has changed. */
  readonly events: readonly ZoneEvent[];
}

/** Whether a data frame's value is that of `zones`. */
export function isZonesValue(value: unknown): value is ZonesValue {
  const { zones, events } = (value ?? {}) as Partial<ZonesValue>;
  return (
    typeof zones === 'object' &&
    zones !== null &&
    Array.isArray(events) &&
    Object.values(zones).every((zone) => typeof zone?.inside === 'boolean')
  );
}
