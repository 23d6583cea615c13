import { from, isObservable, Observable, type OperatorFunction, Subject, takeUntil } from 'rxjs';
import { located } from '../core/errors.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import type { FrameObserver } from './frame-observer.ts';
import { StageInput, type StageParts } from './stage-input.ts';

const advice = 'an operator is a function from an Observable of frames to another';

/**
 * An operator with its ledger around it. Frames are counted on the way in and on the way out, what
 * comes out must be a frame, and an error that starts here gets this stage's name.
 */
export function ledgered(
  operator: OperatorFunction<Frame, Frame>,
  parts: StageParts,
): OperatorFunction<Frame, Frame> {
  const { ledger, path, observer } = parts;
  return (above) =>
    new Observable((output) => {
      const input = new StageInput(above, parts);
      const over = new Subject<void>();
      ledger.inputEnded = false;
      ledger.ended = false;
      output.add(() => {
        ledger.ended = true;
        over.next();
        input.close();
      });
      const fail = (error: unknown) => {
        if (input.error !== undefined && error === input.error) {
          output.error(error);
          return;
        }
        // An asynchronous stage counts its own failures; a synchronous one fails on its newest frame.
        if (ledger.failed === input.failedAtEntry && ledger.unexplained > 0) ledger.failed++;
        output.error(located(error, 'OPERATOR', path));
      };
      const next = (frame: unknown) => {
        const problem = frameProblem(frame);
        if (problem !== undefined) {
          fail(new Error(`emitted ${problem}; an operator must emit frames`));
          return;
        }
        ledger.left++;
        if (observer) observeWork(frame as Frame, ledger.name, observer);
        output.next(frame as Frame);
      };
      let result: unknown;
      try {
        result = operator(input.frames);
        if (!isObservable(result)) throw new Error(`returned no Observable; ${advice}`);
      } catch (error) {
        fail(error);
        return;
      }
      from(result)
        .pipe(takeUntil(over))
        .subscribe({ next, error: fail, complete: () => output.complete() });
      if (!output.closed) input.start();
    });
}

function observeWork(frame: Frame, stage: string, observer: FrameObserver): void {
  const ms = frame.timings?.[stage];
  if (ms !== undefined)
    observer.worked(stage, ms, frame.kind === 'depth' ? frame.model : undefined);
}
