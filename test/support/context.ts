export { type TestContext, testContext } from '../../src/testing/test-context.ts';
