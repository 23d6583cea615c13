import { element } from './element.ts';

/** Asks for the token, and remembers it while the tab is open. */
export class TokenForm {
  readonly #form = element<HTMLFormElement>('token-form');
  readonly #field = element<HTMLInputElement>('token');

  /** @param given called with a token that was typed */
  constructor(given: (token: string) => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      sessionStorage.setItem('token', this.#field.value);
      given(this.#field.value);
    });
  }

  /** The token of `#token=…`, which does not leave the browser, or the one that was typed before. */
  known(): string | undefined {
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    if (given) {
      sessionStorage.setItem('token', given);
      history.replaceState(null, '', location.pathname);
    }
    return sessionStorage.getItem('token') ?? undefined;
  }

  show(shown: boolean): void {
    this.#form.hidden = !shown;
    if (!shown) return;
    element('token-problem').textContent = sessionStorage.getItem('token')
      ? 'This token is not the right one.'
      : '';
    this.#field.value = '';
    this.#field.focus();
  }
}
