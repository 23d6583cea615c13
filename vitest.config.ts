import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    // What `depthline tune` has found on this machine does not belong in a test.
    env: { DEPTHLINE_CACHE: '/nonexistent' },
    include: ['test/**/*.test.ts'],
    globalSetup: [
      'test/support/stuck-files.ts',
      'test/support/left-behind.ts',
      'test/support/build.ts',
    ],
    sequence: { sequencer: LongestFirst },
    // Deadlines for a busy machine: a test waits for a state, and goes on as soon as it is there.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 45_000 } },
    pool: 'forks',
    // One more than processors that tests are made for: many wait for a camera or for a process most of the time.
    maxWorkers: 3,
  },
});
