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

/** What a zone may be called; a topic of MQTT holds any such name. */
export const zoneName = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a data frame's value is that of `zones`: a recording may hold any other. */
export function isZonesValue(value: unknown): value is ZonesValue {
  const { zones, events } = (value ?? {}) as Partial<ZonesValue>;
  return (
    typeof zones === 'object' &&
    zones !== null &&
    Array.isArray(events) &&
    Object.entries(zones).every(
      ([name, zone]) => zoneName.test(name) && typeof zone?.inside === 'boolean',
    )
  );
}
