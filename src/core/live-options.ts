/** An option of a component that can change while it runs. */
export interface LiveOption {
  /** The component, numbered if there are several, and the option: `smooth.alpha`, `smooth-2.alpha`. */
  readonly name: string;
  /** As in a pipeline file; `undefined` if it is not set and has no default. */
  readonly value: unknown;
}

/** The options of a run that can change while it runs, for a component that offers them to others. */
export interface LiveOptions {
  list(): readonly LiveOption[];
  /**
   * Changes one option, between two frames.
   *
   * @param value as in a pipeline file; `undefined` for the default
   * @throws DepthlineError `CONFIG` if there is no such option, or it cannot have that value
   */
  set(name: string, value: unknown): void;
  /** Calls after each change, whoever made it. Returns a function that ends it. */
  onChange(changed: () => void): () => void;
}

/** Of a component outside a run: none. */
export const noLiveOptions: LiveOptions = {
  list: () => [],
  set: () => {},
  onChange: () => () => {},
};
