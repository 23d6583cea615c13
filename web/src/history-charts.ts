import { element } from './element.ts';
import { History, linePath } from './history.ts';

const kept = 120;
const plot = { width: 240, height: 48, slots: kept };

interface Chart {
  readonly id: 'fps' | 'age';
  readonly title: string;
  readonly unit: string;
}
const charts: readonly Chart[] = [
  { id: 'fps', title: 'Frames per second', unit: '' },
  { id: 'age', title: 'Age of the frames', unit: ' ms' },
];

/** Frames per second and age of the last two minutes, as two lines. */
export class HistoryCharts {
  readonly #history = new History(kept);

  /** A frame was shown. */
  add(ageMs: number): void {
    this.#history.add(ageMs);
  }

  /** A second has passed while the page watches. */
  tick(): void {
    this.#history.tick();
    const { seconds } = this.#history;
    const values = {
      fps: seconds.map(({ fps }) => fps),
      age: seconds.map(({ ageMs }) => ageMs),
    };
    for (const chart of charts) draw(chart, values[chart.id]);
  }

  reset(): void {
    this.#history.reset();
    for (const chart of charts) draw(chart, []);
  }
}

function draw({ id, title, unit }: Chart, values: readonly (number | undefined)[]): void {
  const known = values.filter((value) => value !== undefined);
  const text = (value: number | undefined) =>
    value === undefined ? '–' : `${Math.round(value)}${unit}`;
  element(`${id}-now`).textContent = text(values.at(-1));
  const range =
    known.length === 0
      ? ''
      : `${text(Math.min(...known))} to ${text(Math.max(...known))} in the last ${values.length} s`;
  element(`${id}-range`).textContent = range;
  const svg = document.querySelector(`#${id}-chart`);
  svg?.setAttribute('aria-label', `${title}: ${text(values.at(-1))}${range && `, ${range}`}`);
  svg?.querySelector('path')?.setAttribute('d', linePath(values, plot));
}
