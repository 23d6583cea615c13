import { visible } from '../core/printable.ts';

/** Foreign origins that are named in the log. */
const mostNamed = 5;

/** Tells of web pages that were refused: they cannot say why themselves. A few, each once. */
export class ForeignOrigins {
  readonly #named = new Set<string>();
  readonly #warn: (message: string) => void;
  readonly #advice: string;

  /** @param advice `if that is your viewer, add it to "origins"` */
  constructor(warn: (message: string) => void, advice: string) {
    this.#warn = warn;
    this.#advice = advice;
  }

  report(origin: string | undefined): void {
    if (origin === undefined || this.#named.has(origin) || this.#named.size >= mostNamed) return;
    this.#named.add(origin);
    this.#warn(`refused a connection from ${visible(origin)}; ${this.#advice}`);
  }
}
