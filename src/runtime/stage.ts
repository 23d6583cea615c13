import { Observable, type OperatorFunction } from 'rxjs';
import { located } from '../core/errors.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import type { StageLedger } from './ledger.ts';
import type { StageListener } from './stage-times.ts';

/**
 * An operator with its ledger around it. Frames are counted on the way in and on the way out, what
 * comes out must be a frame, and an error that starts here gets this stage's name.
 */
export function ledgered(
  operator: OperatorFunction<Frame, Frame>,
  ledger: StageLedger,
  path: string,
  listener?: StageListener,
): OperatorFunction<Frame, Frame> {
  return (input) =>
    new Observable((subscriber) => {
      let errorFromAbove = false;
      const counted = new Observable<Frame>((inner) =>
        input.subscribe({
          next(frame) {
            ledger.entered++;
            listener?.enter(ledger.name);
            inner.next(frame);
            listener?.leave();
          },
          error(error) {
            errorFromAbove = true;
            inner.error(error);
          },
          complete: () => inner.complete(),
        }),
      );
      const fail = (error: unknown) => {
        if (errorFromAbove) {
          subscriber.error(error);
          return;
        }
        // An asynchronous stage counts its own failures; a synchronous one fails on its newest frame.
        if (ledger.failed === 0 && ledger.unexplained > 0) ledger.failed++;
        subscriber.error(located(error, 'OPERATOR', path));
      };
      return operator(counted).subscribe({
        next(frame) {
          const problem = frameProblem(frame);
          if (problem !== undefined) {
            fail(new Error(`emitted ${problem}; an operator must emit frames`));
            return;
          }
          ledger.left++;
          subscriber.next(frame);
        },
        error: fail,
        complete: () => subscriber.complete(),
      });
    });
}
