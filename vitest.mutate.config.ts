import { defineConfig } from 'vitest/config';

/** The tests of `npm run mutate`: those that need no child process, socket or build. */
export default defineConfig({
  test: {
    env: { DEPTHLINE_CACHE: '/nonexistent' },
    include: [
      'test/{core,depth,pipeline,runtime}/**/*.test.ts',
      'test/topic/{message,golden,header-check,numbering,publisher-clock,stream-time,exposure,demand}.test.ts',
      'test/gstreamer/capture/{timeline,replay-position}.test.ts',
      'test/operators/{clamp,compare-depth,measure-flicker,sample,smooth}.test.ts',
    ],
    // These start the capture process.
    exclude: ['test/runtime/undelivered.test.ts'],
    testTimeout: 60_000,
  },
});
