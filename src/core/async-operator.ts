import type { OperatorFunction } from 'rxjs';
import type { ComponentContext } from './component-context.ts';
import type { Frame } from './frame.ts';

/** The part of a component's context that an asynchronous operator needs. */
export type AsyncContext = Pick<
  ComponentContext,
  | 'path'
  | 'clock'
  | 'gate'
  | 'signal'
  | 'queue'
  | 'onQueue'
  | 'log'
  | 'dropped'
  | 'failed'
  | 'inFlight'
>;

const bind = Symbol('asyncOperator.bind');

type AsyncOperator = OperatorFunction<Frame, Frame> & {
  [bind]?: (context: AsyncContext) => OperatorFunction<Frame, Frame>;
};

/** Marks `operator` as asynchronous: the runtime calls `bound` with the operator's context. */
export function asyncOperator(
  operator: OperatorFunction<Frame, Frame>,
  bound: (context: AsyncContext) => OperatorFunction<Frame, Frame>,
): OperatorFunction<Frame, Frame> {
  return Object.assign(operator, { [bind]: bound });
}

/** Gives an asynchronous operator its context in a pipeline; any other operator is returned as is. */
export function bindContext(
  operator: OperatorFunction<Frame, Frame>,
  context: AsyncContext,
): OperatorFunction<Frame, Frame> {
  return (operator as AsyncOperator)[bind]?.(context) ?? operator;
}

/** True if the operator is asynchronous, and so stands behind a queue. */
export function isAsyncOperator(operator: unknown): boolean {
  return typeof operator === 'function' && bind in operator;
}
