import { element } from './element.ts';

/** Which camera of a run of several the page shows. It stands in the page's address: `?camera=front`. */
export class CameraChoice {
  readonly #select = element<HTMLSelectElement>('camera');

  /** @param changed called when another camera has been chosen */
  constructor(changed: () => void) {
    this.#select.addEventListener('change', () => {
      const address = new URL(location.href);
      address.searchParams.set('camera', this.#select.value);
      history.replaceState(null, '', address);
      changed();
    });
  }

  /** Nothing in a run of one source. */
  get camera(): string | undefined {
    return this.#select.value || undefined;
  }

  /** Offers the cameras of a run. The one that was chosen stays, if the run has it. */
  offer(cameras: readonly string[] = []): void {
    const asked = this.camera ?? new URL(location.href).searchParams.get('camera');
    this.#select.replaceChildren(...cameras.map((name) => new Option(name, name)));
    this.#select.value = cameras.find((name) => name === asked) ?? cameras[0] ?? '';
    element('cameras').hidden = cameras.length === 0;
  }
}
