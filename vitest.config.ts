import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/bench/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/each-file.ts'],
    // Temporal's native worker is happiest in a process of its own; loading it for each file takes a second.
    pool: 'forks',
    isolate: false,
    // Many tests wait for processes and timers.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    silent: 'passed-only',
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
  },
});
