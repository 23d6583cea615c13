import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What `depthline tune` has found on this machine does not belong in a test.
    env: { DEPTHLINE_CACHE: '/nonexistent' },
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A deadline for a machine with other work; who finds the state sooner does not wait.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
