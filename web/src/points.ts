import type { Depth } from './decoder.ts';
import { element } from './element.ts';

/** A place in the picture, 0 to 1 from its top left corner. */
interface Place {
  readonly x: number;
  readonly y: number;
}

const mostPins = 9;

/** The cursor and the pinned points: their marks in both panels, and the distances there. */
export class Points {
  readonly #panels = [element('picture-panel'), element('depth-panel')];
  readonly #distance = element('distance');
  readonly #position = element('position');
  readonly #spoken = element('spoken');
  readonly #list = element('pins');
  #cursor: Place | undefined;
  #pins: Place[] = [];
  #depth: Depth | undefined;

  constructor() {
    for (const panel of this.#panels) {
      panel.addEventListener('pointermove', (event) => this.#point(panel, event));
      panel.addEventListener('pointerdown', (event) => this.#point(panel, event));
      panel.addEventListener('click', (event) => {
        this.#point(panel, event);
        this.#pin();
      });
      panel.addEventListener('keydown', (event) => this.#key(event));
    }
  }

  /** The depth that distances are read from. */
  show(depth: Depth | undefined): void {
    this.#depth = depth;
    this.#update();
  }

  clear(): void {
    this.#pins = [];
    this.#update();
  }

  #point(panel: HTMLElement, event: MouseEvent): void {
    const box = panel.getBoundingClientRect();
    this.#cursor = {
      x: clamp((event.clientX - box.left) / box.width),
      y: clamp((event.clientY - box.top) / box.height),
    };
    this.#update();
  }

  #key(event: KeyboardEvent): void {
    const { width, height } = this.#depth ?? { width: 100, height: 100 };
    const by = event.shiftKey ? 10 : 1;
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-by, 0],
      ArrowRight: [by, 0],
      ArrowUp: [0, -by],
      ArrowDown: [0, by],
    };
    const step = steps[event.key];
    if (step) {
      // From the middle of a pixel, so that each step is one pixel.
      const from = this.#cursor ?? { x: 0.5, y: 0.5 };
      const move = (at: number, size: number, n: number) =>
        (Math.min(size - 1, Math.max(0, Math.floor(at * size) + n)) + 0.5) / size;
      this.#cursor = { x: move(from.x, width, step[0]), y: move(from.y, height, step[1]) };
      this.#update();
      this.#speak(`${this.#distance.textContent} ${this.#position.textContent}`);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.#pin();
    } else {
      return;
    }
    event.preventDefault();
  }

  #pin(): void {
    if (!this.#cursor) return;
    this.#pins = [...this.#pins, this.#cursor].slice(-mostPins);
    this.#update();
    this.#speak(`Pin ${this.#pins.length}: ${this.#distance.textContent}`);
  }

  #update(): void {
    const depth = this.#depth;
    if (this.#cursor && depth) {
      const { column, row } = pixelAt(depth, this.#cursor);
      this.#distance.textContent = distanceAt(depth, this.#cursor);
      this.#position.textContent = `at ${column}, ${row}`;
    } else {
      this.#distance.textContent = '–';
      this.#position.textContent = '';
    }
    const texts = this.#pins.map((pin) => (depth ? distanceAt(depth, pin) : '–'));
    this.#updateList(texts);
    for (const panel of this.#panels) {
      const marks = panel.querySelector('.marks') as HTMLElement;
      marks.replaceChildren(
        ...this.#pins.map((pin, i) => mark(pin, 'pin', `${i + 1}: ${texts[i]}`)),
        ...(this.#cursor ? [mark(this.#cursor, 'cursor')] : []),
      );
    }
  }

  /** For a screen reader, at an action only: the distance itself changes with every frame. */
  #speak(text: string): void {
    this.#spoken.textContent = text;
  }

  #updateList(texts: readonly string[]): void {
    // The buttons stay as they are, or one would lose the focus with every frame.
    while (this.#list.children.length > texts.length) this.#list.lastElementChild?.remove();
    while (this.#list.children.length < texts.length) this.#list.append(this.#item());
    for (const [i, text] of texts.entries()) {
      const label = this.#list.children[i]?.firstElementChild;
      if (label) label.textContent = `${i + 1}: ${text}`;
    }
  }

  #item(): HTMLElement {
    const item = document.createElement('li');
    const number = this.#list.children.length + 1;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = '×';
    remove.setAttribute('aria-label', `Remove pin ${number}`);
    remove.addEventListener('click', () => {
      this.#pins = this.#pins.filter((_, i) => i !== number - 1);
      this.#update();
    });
    item.append(document.createElement('span'), remove);
    return item;
  }
}

function mark({ x, y }: Place, kind: string, label?: string): HTMLElement {
  const at = document.createElement('div');
  at.className = `mark ${kind}${x > 0.7 ? ' flip' : ''}`;
  at.style.left = `${x * 100}%`;
  at.style.top = `${y * 100}%`;
  if (label !== undefined) {
    const text = document.createElement('span');
    text.textContent = label;
    at.append(text);
  }
  return at;
}

function pixelAt({ width, height }: Depth, { x, y }: Place): { column: number; row: number } {
  return {
    column: Math.min(width - 1, Math.floor(x * width)),
    row: Math.min(height - 1, Math.floor(y * height)),
  };
}

function distanceAt(depth: Depth, place: Place): string {
  const { column, row } = pixelAt(depth, place);
  const value = (depth.steps[row * depth.width + column] as number) * depth.step;
  return value === 0 ? 'not measured' : inUnits(value, depth.relative);
}

/** `2.35 m`; relative depth has no unit. */
export function inUnits(value: number, relative: boolean): string {
  return relative ? `${value.toPrecision(3)} (relative)` : `${value.toFixed(2)} m`;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
