import { DepthlineError } from '../core/errors.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import type { LiveChange } from '../pipeline/pipeline-changes.ts';

type Take<Value> = (value: Value) => void;

/** What takes changed options and queues in a run, by the path of the component. */
export class Adjustments {
  readonly #options = new Map<string, Take<unknown>[]>();
  readonly #queues = new Map<string, Set<Take<QueueOptions>>>();
  readonly #skipped = new Set<string>();

  onAdjust(path: string, take: Take<never>): void {
    const takers = this.#options.get(path) ?? [];
    this.#options.set(path, [...takers, take as Take<unknown>]);
  }

  onQueue(path: string, take: Take<QueueOptions>): () => void {
    const takers = this.#queues.get(path) ?? new Set();
    this.#queues.set(path, takers.add(take));
    return () => takers.delete(take);
  }

  /** The branch at `path` is left out of the run: changes of it have nobody to take them. */
  skip(path: string): void {
    this.#skipped.add(path);
  }

  /**
   * Makes all changes, or none.
   *
   * @throws DepthlineError if a component does not take one; those made before are undone
   */
  make(changes: readonly LiveChange[]): void {
    const made: LiveChange[] = [];
    try {
      for (const change of changes) {
        made.push(change);
        this.#make(change, 'to');
      }
    } catch (error) {
      for (const change of made.reverse()) {
        try {
          this.#make(change, 'from');
        } catch {
          // The first error is the one to report.
        }
      }
      throw error;
    }
  }

  #make(change: LiveChange, which: 'from' | 'to'): void {
    const { path } = change;
    if (change.of === 'queue') {
      for (const take of this.#queues.get(path) ?? []) take(change[which]);
      return;
    }
    const takers = this.#options.get(path) ?? [];
    if (takers.length === 0 && !this.#skipped.has(path)) {
      const message = `${path} does not take changed options, though its definition says so`;
      throw new DepthlineError('INTERNAL', message);
    }
    for (const take of takers) take(change[which]);
  }
}
