import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with the line `N passed, N failed, N skipped`; a file that fails to load counts as a failure. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter's default export
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        counts[test.result().state]++;
        tests++;
      }
      if (!module.ok() && (tests === 0 || module.errors().length > 0)) counts.failed++;
    }
    counts.failed += unhandledErrors.length + counts.pending;
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
