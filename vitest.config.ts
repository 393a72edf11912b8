import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/guest/**/*.guest.test.ts'],
    globalSetup: 'test/support/build.ts',
    maxWorkers: 3,
    testTimeout: 30_000,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
