import type { Definition, Role } from './component.ts';
import { DepthlineError } from './errors.ts';

/** The components that pipeline files can name. */
export class Registry {
  readonly #components = new Map<string, Definition>();

  constructor(components: Iterable<Definition> = []) {
    for (const component of components) this.add(component);
  }

  add(component: Definition): void {
    const { role, name } = component;
    if (this.get(name, role)) {
      throw new DepthlineError(
        'CONFIG',
        `there already is ${role === 'operator' ? 'an' : 'a'} ${role} named "${name}"; choose another name`,
      );
    }
    this.#components.set(`${role} ${name}`, component);
  }

  /** A source and a sink may share a name (zeromq); without a role, the first that has it. */
  get(name: string, role?: Role): Definition | undefined {
    const among = role ? [role] : (['source', 'operator', 'sink'] as const);
    return among.map((one) => this.#components.get(`${one} ${name}`)).find(Boolean);
  }

  /** Components of one role, or all, by name. */
  list(role?: Role): Definition[] {
    return [...this.#components.values()]
      .filter((component) => role === undefined || component.role === role)
      .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }

  names(role?: Role): string[] {
    return this.list(role).map((component) => component.name);
  }

  /** A registry that can grow without changing this one. */
  copy(): Registry {
    return new Registry(this.#components.values());
  }
}

/** True for what `defineSource`, `defineOperator` and `defineSink` return. */
export function isDefinition(value: unknown): value is Definition {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const { role, name, create, options } = value as Partial<Definition>;
  return (
    (role === 'source' || role === 'operator' || role === 'sink') &&
    typeof name === 'string' &&
    typeof create === 'function' &&
    typeof options === 'object'
  );
}
