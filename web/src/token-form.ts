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
    // An address with a token that is entered while the page is open loads nothing.
    addEventListener('hashchange', () => {
      const taken = this.#takeFromAddress();
      // A page that needs none has a connection already, or tries again by itself.
      if (taken !== undefined && !this.#form.hidden) given(taken);
    });
  }

  /** The token of `#token=…`, which does not leave the browser, or the one that was typed before. */
  known(): string | undefined {
    this.#takeFromAddress();
    return sessionStorage.getItem('token') ?? undefined;
  }

  #takeFromAddress(): string | undefined {
    const [, given] = /^#token=(.+)$/.exec(location.hash) ?? [];
    if (given === undefined) return undefined;
    const token = decoded(given);
    sessionStorage.setItem('token', token);
    history.replaceState(null, '', location.pathname + location.search);
    return token;
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

/** Not as a form would be: + and & are characters of a token, as base64 has them. */
function decoded(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}
