import type { ColormapName } from '../../src/depth/colormap.ts';
import type { CloudView } from './cloud.ts';
import type { ShownFrame } from './decoder.ts';
import { element } from './element.ts';
import { frameIntrinsics } from './frame-intrinsics.ts';
import type { Range } from './paint.ts';

/** What the panel draws with. */
export interface CloudLook {
  readonly colors: ColormapName;
  readonly range: Range;
}

/** The 3-D view and what belongs to it. Its library is loaded when it is first shown. */
export class CloudPanel {
  readonly #panel = element('cloud-panel');
  readonly #problem = element('cloud-problem');
  readonly #colour = element<HTMLSelectElement>('cloud-colour');
  readonly #degrees = element<HTMLInputElement>('field-of-view');
  readonly #look: () => CloudLook;
  #view: CloudView | undefined;
  #loading = false;
  #shown = false;
  #frame: ShownFrame | undefined;

  constructor(look: () => CloudLook) {
    this.#look = look;
    element('cloud-reset').addEventListener('click', () => this.#reset());
    this.#colour.addEventListener('input', () => this.draw());
    this.#degrees.addEventListener('input', () => this.draw());
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Home') return;
      event.preventDefault();
      this.#reset();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      if (this.#view) this.#view.background = this.#background();
    });
  }

  /** Horizontal field of view that is assumed for frames without intrinsics, degrees. */
  get degrees(): number {
    const typed = this.#degrees.valueAsNumber;
    return typed > 0 && typed < 180 ? typed : 60;
  }

  /** Shown or hidden; while it is hidden, nothing is drawn. */
  set shown(shown: boolean) {
    this.#shown = shown;
    if (shown && !this.#view && !this.#loading) void this.#load();
    this.draw();
  }

  show(frame: ShownFrame): void {
    this.#frame = frame;
    this.draw();
  }

  draw(): void {
    const { header, depth, picture } = this.#frame ?? {};
    element('field-of-view-label').hidden = !header?.depth || header.depth.intrinsics !== undefined;
    if (!this.#shown || !this.#view) return;
    this.#panel.dataset.viewpoint = JSON.stringify(this.#view.viewpoint);
    if (depth?.relative) this.#say('Relative depth has no points in metres.');
    else if (this.#frame && !depth) this.#say('These frames have no depth.');
    else this.#say('');
    const intrinsics = this.#frame && frameIntrinsics(this.#frame, this.degrees);
    if (!depth || depth.relative || !intrinsics) return;
    const coloured = this.#colour.value === 'picture' ? picture : undefined;
    this.#view.show({ depth, intrinsics, picture: coloured, ...this.#look() });
  }

  async #load(): Promise<void> {
    this.#loading = true;
    this.#say('loading');
    try {
      const { CloudView } = await import('./cloud.ts');
      this.#view = new CloudView(this.#panel, this.#background());
      this.draw();
    } catch (error) {
      // Without WebGL 2, or without the file: the run may have ended meanwhile.
      this.#say(`No point cloud: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#loading = false;
    }
  }

  #reset(): void {
    this.#view?.place(this.#look().range);
  }

  #background(): string {
    return getComputedStyle(this.#panel).backgroundColor;
  }

  #say(text: string): void {
    if (this.#problem.textContent !== text) this.#problem.textContent = text;
    this.#problem.hidden = text === '';
  }
}
