import type { StageState } from '../../src/core/run-stats.ts';

type Counts = Pick<StageState, 'left' | 'failed'>;

/** Which stages let no frame pass because each of them fails. */
export class FailingStages {
  readonly #seen = new Map<string, Counts>();
  readonly #failures = new Map<string, number>();

  /** Frames that have failed in a row, by stage, as far as it was told. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  update(stages: readonly StageState[]): void {
    for (const { stage, left, failed } of stages) {
      const before = this.#seen.get(stage) ?? { left, failed };
      this.#seen.set(stage, { left, failed });
      const more = failed - before.failed;
      // Fewer than before: another run.
      if (left !== before.left || more < 0) this.#failures.delete(stage);
      else if (more > 0) this.#failures.set(stage, (this.#failures.get(stage) ?? 0) + more);
    }
  }
}
