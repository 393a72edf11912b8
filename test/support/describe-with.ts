import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

/** A suite that needs programs which are not ours. Without one it is skipped and says so, or fails where VMLAN_REQUIRE_GUESTS=1. */
export function describeWith(programs: readonly string[], name: string, body: () => void): void {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).error !== undefined).join(', ');
  if (missing === '') {
    describe(name, body);
  } else if (process.env['VMLAN_REQUIRE_GUESTS'] === '1') {
    it(name, () => {
      throw new Error(`VMLAN_REQUIRE_GUESTS=1, and this machine has no ${missing}`);
    });
  } else {
    describe.skip(`${name} (skipped: no ${missing})`, body);
  }
}
