/**
 * Tools for testing components, `depthline/testing`: a virtual clock, a context that records,
 * sample frames, and the conformance suites that every built-in component passes. The suites run
 * under Vitest, Jest and `node:test`.
 *
 * @module depthline/testing
 */
export { VirtualClock } from './runtime/virtual-clock.ts';
export type { Subject, TestRunner } from './testing/conformance.ts';
export {
  conformsAsOperator,
  type OperatorSubject,
  runOperator,
} from './testing/operator-conformance.ts';
export {
  dataFrame,
  depthFrame,
  frameBase,
  imageFrame,
  pointsFrame,
  sampleFrame,
} from './testing/sample-frames.ts';
export { conformsAsSink, type SinkSubject } from './testing/sink-conformance.ts';
export { conformsAsSource, type SourceSubject } from './testing/source-conformance.ts';
export { type TestContext, testContext } from './testing/test-context.ts';
