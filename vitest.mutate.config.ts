import { defineConfig } from 'vitest/config';

/**
 * The tests of `npm run mutate`: those that are fast and need no build. MUTATE_TESTS
 * narrows them to some of its patterns, separated by spaces, which makes a run over one file fast.
 */
const only = process.env.MUTATE_TESTS?.split(' ');

export default defineConfig({
  test: {
    env: { DEPTHLINE_CACHE: '/nonexistent', FUZZ_RUNS: process.env.FUZZ_RUNS ?? '40' },
    setupFiles: ['test/support/fast-properties.ts'],
    include: only ?? [
      'test/{core,depth,pipeline,runtime}/**/*.test.ts',
      'test/topic/{message,golden,header-check,header-values,numbering,publisher-clock,stream-time,exposure,demand}.test.ts',
      'test/gstreamer/{gdp,capture/timeline,capture/replay-position}.test.ts',
      'test/web/depth-codec.test.ts',
      'test/operators/{clamp,compare-depth,measure-flicker,sample,smooth}.test.ts',
    ],
    // These start the capture process.
    exclude: ['test/runtime/undelivered.test.ts'],
    // One module graph for all test files: they keep no state in modules.
    isolate: false,
    testTimeout: 20_000,
  },
});
