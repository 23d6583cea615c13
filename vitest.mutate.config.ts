import { defineConfig } from 'vitest/config';

/**
 * The tests of `npm run mutate`: those that need no child process, socket or build. MUTATE_TESTS
 * narrows them to some of its patterns, separated by spaces, which makes a run over one file fast.
 */
const only = process.env.MUTATE_TESTS?.split(' ');

export default defineConfig({
  test: {
    env: { DEPTHLINE_CACHE: '/nonexistent', FUZZ_RUNS: process.env.FUZZ_RUNS ?? '40' },
    setupFiles: ['test/support/fast-properties.ts'],
    include: only ?? [
      'test/{core,depth,pipeline,runtime}/**/*.test.ts',
      'test/topic/{message,golden,header-check,numbering,publisher-clock,stream-time,exposure,demand}.test.ts',
      'test/gstreamer/capture/{timeline,replay-position}.test.ts',
      'test/operators/{clamp,compare-depth,measure-flicker,sample,smooth}.test.ts',
    ],
    // These start the capture process.
    exclude: ['test/runtime/undelivered.test.ts'],
    // One module graph for all test files: they keep no state in modules.
    isolate: false,
    testTimeout: 20_000,
  },
});
