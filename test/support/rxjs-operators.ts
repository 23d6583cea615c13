import {
  asyncScheduler,
  EMPTY,
  NEVER,
  type Notification,
  type Observable,
  type ObservableInput,
  of,
  onErrorResumeNextWith,
  Subject,
  timer,
} from 'rxjs';
import * as R from 'rxjs/operators';
import type { Frame } from '../../src/core/frame.ts';
import { imageFrame } from './frames.ts';

export type FrameOperator = (input: Observable<Frame>) => Observable<Frame>;

/** A frame that an operator adds, or makes of something that is none. */
const other = imageFrame(2, 2, 1000);
const asFrame = R.map((_: unknown) => other as Frame);
const soon = () => timer(2);
const flat = <T>(inner: Observable<ObservableInput<T>>) => inner.pipe(R.mergeAll());
const inside = R.map((frame: Frame) => of(frame));
const odd = ({ seq }: Frame) => seq % 2 === 1;

/**
 * Every operator of RxJS that takes one stream, by its name in `rxjs/operators`, with arguments that
 * make it do something to frames.
 */
export const rxjsOperators: Readonly<Record<string, FrameOperator>> = {
  audit: (input) => input.pipe(R.audit(soon)),
  auditTime: (input) => input.pipe(R.auditTime(3)),
  buffer: (input) => flat(input.pipe(R.buffer(timer(1, 3)))),
  bufferCount: (input) => flat(input.pipe(R.bufferCount(3))),
  bufferTime: (input) => flat(input.pipe(R.bufferTime(3))),
  bufferToggle: (input) => flat(input.pipe(R.bufferToggle(timer(1, 5), () => timer(3)))),
  bufferWhen: (input) => flat(input.pipe(R.bufferWhen(() => timer(3)))),
  catchError: (input) => input.pipe(R.catchError(() => of(other))),
  combineAll: (input) => flat(input.pipe(inside, R.combineAll())),
  combineLatest: (input) => flat(input.pipe(R.combineLatest(of(other)))),
  combineLatestAll: (input) => flat(input.pipe(inside, R.combineLatestAll())),
  combineLatestWith: (input) => flat(input.pipe(R.combineLatestWith(timer(5).pipe(asFrame)))),
  concat: (input) => input.pipe(R.concat(of(other))),
  concatAll: (input) => input.pipe(inside, R.concatAll()),
  concatMap: (input) => input.pipe(R.concatMap((frame) => soon().pipe(R.map(() => frame)))),
  concatMapTo: (input) => input.pipe(R.concatMapTo(of(other))),
  concatWith: (input) => input.pipe(R.concatWith(of(other))),
  connect: (input) => input.pipe(R.connect((shared) => shared.pipe(R.mergeWith(shared)))),
  count: (input) => input.pipe(R.count(), asFrame),
  debounce: (input) => input.pipe(R.debounce(soon)),
  debounceTime: (input) => input.pipe(R.debounceTime(2)),
  defaultIfEmpty: (input) =>
    input.pipe(
      R.filter(() => false),
      R.defaultIfEmpty(other),
    ),
  delay: (input) => input.pipe(R.delay(7)),
  delayWhen: (input) => input.pipe(R.delayWhen(({ seq }) => timer(seq % 5))),
  dematerialize: (input) => input.pipe(R.materialize(), R.dematerialize()),
  distinct: (input) => input.pipe(R.distinct(odd)),
  distinctUntilChanged: (input) => input.pipe(R.distinctUntilChanged()),
  distinctUntilKeyChanged: (input) => input.pipe(R.distinctUntilKeyChanged('seq')),
  elementAt: (input) => input.pipe(R.elementAt(4)),
  endWith: (input) => input.pipe(R.endWith(other)),
  every: (input) =>
    input.pipe(
      R.every(({ seq }) => seq < 5),
      asFrame,
    ),
  exhaust: (input) => input.pipe(inside, R.exhaust()),
  exhaustAll: (input) => input.pipe(inside, R.exhaustAll()),
  exhaustMap: (input) => input.pipe(R.exhaustMap((frame) => soon().pipe(R.map(() => frame)))),
  expand: (input) => input.pipe(R.expand(({ seq }) => (seq < 900 ? of(other) : EMPTY))),
  filter: (input) => input.pipe(R.filter(odd)),
  finalize: (input) => input.pipe(R.finalize(() => {})),
  find: (input) => input.pipe(R.find(odd), asFrame),
  findIndex: (input) => input.pipe(R.findIndex(odd), asFrame),
  first: (input) => input.pipe(R.first()),
  flatMap: (input) => input.pipe(R.flatMap((frame) => [frame, frame])),
  groupBy: (input) => flat(input.pipe(R.groupBy(odd))),
  ignoreElements: (input) => input.pipe(R.ignoreElements()),
  isEmpty: (input) => input.pipe(R.isEmpty(), asFrame),
  last: (input) => input.pipe(R.last()),
  map: (input) => input.pipe(R.map((frame) => ({ ...frame }))),
  mapTo: (input) => input.pipe(R.mapTo(other)),
  materialize: (input) =>
    input.pipe(
      R.materialize(),
      R.map((one: Pick<Notification<Frame>, 'value'>) => one.value ?? other),
    ),
  max: (input) => input.pipe(R.max((a, b) => a.seq - b.seq)),
  merge: (input) => input.pipe(R.merge(of(other))),
  mergeAll: (input) => input.pipe(inside, R.mergeAll()),
  mergeMap: (input) => input.pipe(R.mergeMap(async (frame) => frame)),
  mergeMapTo: (input) => input.pipe(R.mergeMapTo(of(other))),
  mergeScan: (input) => input.pipe(R.mergeScan((_, frame) => of(frame), other as Frame)),
  mergeWith: (input) => input.pipe(R.mergeWith(timer(1, 4).pipe(asFrame))),
  min: (input) => input.pipe(R.min((a, b) => a.seq - b.seq)),
  multicast: (input) =>
    input.pipe(
      R.multicast(
        () => new Subject<Frame>(),
        (shared) => shared.pipe(R.merge(shared)),
      ),
    ),
  observeOn: (input) => input.pipe(R.observeOn(asyncScheduler, 3)),
  onErrorResumeNext: (input) => input.pipe(R.onErrorResumeNext(of(other))),
  onErrorResumeNextWith: (input) => input.pipe(onErrorResumeNextWith(of(other))),
  pairwise: (input) => flat(input.pipe(R.pairwise())),
  pluck: (input) => input.pipe(R.pluck('seq'), asFrame),
  publish: (input) => input.pipe(R.publish((shared) => shared.pipe(R.take(4)))),
  publishBehavior: (input) => input.pipe(R.publishBehavior(other as Frame), R.refCount()),
  publishLast: (input) => input.pipe(R.publishLast(), R.refCount()),
  publishReplay: (input) => input.pipe(R.publishReplay(2), R.refCount()),
  race: (input) => input.pipe(R.race(timer(500).pipe(asFrame))),
  raceWith: (input) => input.pipe(R.raceWith(timer(1).pipe(asFrame))),
  reduce: (input) => input.pipe(R.reduce((_, frame) => frame)),
  refCount: (input) => input.pipe(R.publish(), R.refCount()),
  repeat: (input) => input.pipe(R.take(3), R.repeat()),
  repeatWhen: (input) => input.pipe(R.take(3), R.repeatWhen(R.delay(4))),
  retry: (input) => input.pipe(R.map(failing), R.retry()),
  retryWhen: (input) => input.pipe(R.map(failing), R.retryWhen(R.delay(4))),
  sample: (input) => input.pipe(R.sample(timer(1, 5))),
  sampleTime: (input) => input.pipe(R.sampleTime(5)),
  scan: (input) => input.pipe(R.scan((_, frame) => frame)),
  sequenceEqual: (input) => input.pipe(R.sequenceEqual(NEVER as Observable<Frame>), asFrame),
  share: (input) => input.pipe(R.share()),
  shareReplay: (input) => input.pipe(R.shareReplay(2)),
  single: (input) => input.pipe(R.single(({ seq }) => seq === 4)),
  skip: (input) => input.pipe(R.skip(3)),
  skipLast: (input) => input.pipe(R.skipLast(3)),
  skipUntil: (input) => input.pipe(R.skipUntil(timer(5))),
  skipWhile: (input) => input.pipe(R.skipWhile(({ seq }) => seq < 5)),
  startWith: (input) => input.pipe(R.startWith(other)),
  subscribeOn: (input) => input.pipe(R.subscribeOn(asyncScheduler, 4)),
  switchAll: (input) => input.pipe(inside, R.switchAll()),
  switchMap: (input) => input.pipe(R.switchMap((frame) => soon().pipe(R.map(() => frame)))),
  switchMapTo: (input) => input.pipe(R.switchMapTo(soon().pipe(asFrame))),
  switchScan: (input) => input.pipe(R.switchScan((_, frame) => of(frame), other as Frame)),
  take: (input) => input.pipe(R.take(5)),
  takeLast: (input) => input.pipe(R.takeLast(5)),
  takeUntil: (input) => input.pipe(R.takeUntil(timer(5))),
  takeWhile: (input) => input.pipe(R.takeWhile(({ seq }) => seq < 5)),
  tap: (input) => input.pipe(R.tap(() => {})),
  throttle: (input) => input.pipe(R.throttle(soon)),
  throttleTime: (input) => input.pipe(R.throttleTime(3)),
  throwIfEmpty: (input) =>
    input.pipe(
      R.filter(() => false),
      R.throwIfEmpty(),
    ),
  timeInterval: (input) =>
    input.pipe(
      R.timeInterval(),
      R.map(({ value }) => value),
    ),
  timeout: (input) => input.pipe(R.timeout(500)),
  timeoutWith: (input) => input.pipe(R.timeoutWith(1, of(other))),
  timestamp: (input) =>
    input.pipe(
      R.timestamp(),
      R.map(({ value }) => value),
    ),
  toArray: (input) => flat(input.pipe(R.toArray())),
  window: (input) => flat(input.pipe(R.window(timer(1, 3)))),
  windowCount: (input) => flat(input.pipe(R.windowCount(3))),
  windowTime: (input) => flat(input.pipe(R.windowTime(3))),
  windowToggle: (input) => flat(input.pipe(R.windowToggle(timer(1, 5), () => timer(3)))),
  windowWhen: (input) => flat(input.pipe(R.windowWhen(() => timer(3)))),
  withLatestFrom: (input) =>
    input.pipe(
      R.withLatestFrom(timer(0, 5)),
      R.map(([frame]) => frame),
    ),
  zip: (input) => flat(input.pipe(R.zip(timer(0, 2).pipe(asFrame)))),
  zipAll: (input) => flat(input.pipe(inside, R.zipAll())),
  zipWith: (input) => flat(input.pipe(R.zipWith(timer(0, 2).pipe(asFrame)))),
};

/** It gives two streams in place of one. */
const otherShapes = ['partition'];

/** Operators that the installed RxJS has and that are missing above. */
export function missingOperators(): string[] {
  return Object.entries(R).flatMap(([name, value]) =>
    typeof value === 'function' && !(name in rxjsOperators) && !otherShapes.includes(name)
      ? [name]
      : [],
  );
}

function failing(frame: Frame): Frame {
  if (frame.seq % 6 === 3) throw new Error(`not with frame ${frame.seq}`);
  return frame;
}
