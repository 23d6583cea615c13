import type { ComponentContext } from './component-context.ts';

/**
 * The options of a component as they are now: those it was created with, later those that it was
 * adjusted to.
 */
export function adjusted<Options>(
  options: Options,
  context: Pick<ComponentContext, 'onAdjust'>,
): () => Options {
  let now = options;
  context.onAdjust<Options>((changed) => {
    now = changed;
  });
  return () => now;
}

/**
 * What is made of a component's options, made again at the first call after they have changed.
 *
 * @param make gets what it made of the options before
 */
export function remade<Options, Made>(
  options: () => Options,
  make: (options: Options, before: Made | undefined) => Made,
): () => Made {
  let madeOf = options();
  let made = make(madeOf, undefined);
  return () => {
    const now = options();
    if (now !== madeOf) {
      made = make(now, made);
      madeOf = now;
    }
    return made;
  };
}
