import { defineConfig } from 'vitest/config';

/** Real guests under QEMU: one file at a time, since a guest under TCG wants a core of its own. */
export default defineConfig({
  test: {
    include: ['test/guest/**/*.guest.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/guest/support/setup.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose', './test/support/count-reporter.ts'],
  },
});
