import type { Emits } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { FrameKind } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import type { NestedSource } from '../core/nested-source.ts';

/** True for a camera, whose frames do not wait. */
export function isLive({ definition: { live = false }, options }: NestedSource): boolean {
  return typeof live === 'function' ? live(options) : live;
}

/** Kinds of the frames that a source gives; none where it does not say. */
export function kindsOf({ definition, options }: NestedSource): readonly FrameKind[] {
  const emits = definition.emits as Emits<unknown>;
  if (emits === 'same') return [];
  return typeof emits === 'function' ? emits(options) : emits;
}

/** The context of a source that another one reads: its frames count there, its gate is its own. */
export function nestedContext(
  { definition: { name } }: NestedSource,
  role: string,
  parent: ComponentContext,
  own: { readonly gate: Gate; reconnecting(since: bigint | undefined): void },
): ComponentContext {
  const { log } = parent;
  const said = (message: string) => `${role} ${name}: ${message}`;
  const { reader: _, direct: __, ...rest } = parent;
  return {
    ...rest,
    name,
    path: `${parent.path} ${role} ${name}`,
    gate: own.gate,
    fused: [],
    // No option of it can change while it runs.
    onAdjust: () => {},
    reconnecting: own.reconnecting,
    log: {
      debug: (message) => log.debug(said(message)),
      info: (message) => log.info(said(message)),
      warn: (message) => log.warn(said(message)),
    },
    summary: (report) =>
      parent.summary(() => {
        const own = report();
        return Object.keys(own).length > 0 ? { [role]: own } : {};
      }),
  };
}

/** The gate of a nested source: held by whatever holds the pipeline's, or by the source around it. */
export class NestedGate extends Gate {
  readonly #parent: Gate;
  readonly #own = new Gate();

  constructor(parent: Gate) {
    super();
    this.#parent = parent;
  }

  override get open(): boolean {
    return this.#own.open && this.#parent.open;
  }

  override get holders(): readonly string[] {
    return [...this.#own.holders, ...this.#parent.holders];
  }

  override hold(holder: string): void {
    this.#own.hold(holder);
  }

  override release(holder: string): void {
    this.#own.release(holder);
  }

  override async opened(signal?: AbortSignal): Promise<void> {
    while (!this.open && !signal?.aborted) {
      // Each of the two may be held again while the other opens.
      await this.#own.opened(signal);
      await this.#parent.opened(signal);
    }
  }
}
