import { defineConfig } from 'vitest/config';

// For the pure tests under emulation: one process, since starting another takes minutes, and deadlines to match. What
// the usual configuration builds first is built already, for this machine by programs of the other.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    env: { DEPTHLINE_CACHE: '/nonexistent' },
    include: ['test/**/*.test.ts'],
    // The userland has no Python.
    testNamePattern: /^(?!.*readers in Python)/,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    expect: { poll: { timeout: 600_000 } },
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
  },
});
