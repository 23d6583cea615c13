import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What `depthline tune` has found on this machine does not belong in a test.
    env: { DEPTHLINE_CACHE: '/nonexistent' },
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    // Deadlines for a busy machine: a test waits for a state, and goes on as soon as it is there.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 45_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
