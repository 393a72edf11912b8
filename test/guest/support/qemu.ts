import { execFileSync } from 'node:child_process';
import { describe, it } from 'vitest';

/** The version of the QEMU on this machine as [major, minor], or undefined when it has none. */
export const qemuVersion: readonly [number, number] | undefined = askVersion();

const NO_QEMU =
  'guest tests skipped: no qemu-system-x86_64 on this machine (Debian: apt install qemu-system-x86 ipxe-qemu)';

/**
 * A suite that boots machines. Without QEMU it is skipped, or fails where VMLAN_REQUIRE_GUESTS=1 says that
 * machines must run here.
 */
export function describeGuests(name: string, body: () => void): void {
  if (qemuVersion !== undefined) {
    describe(name, body);
  } else if (process.env['VMLAN_REQUIRE_GUESTS'] === '1') {
    it(name, () => {
      throw new Error('VMLAN_REQUIRE_GUESTS=1, and there is no qemu-system-x86_64 on this machine');
    });
  } else {
    describe.skip(name, body);
  }
}

/** Says on standard error that the suites are skipped, where they are. */
export function noteMissingQemu(): void {
  if (qemuVersion === undefined && process.env['VMLAN_REQUIRE_GUESTS'] !== '1') process.stderr.write(`${NO_QEMU}\n`);
}

function askVersion(): readonly [number, number] | undefined {
  try {
    const said = execFileSync('qemu-system-x86_64', ['-version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const match = /version (\d+)\.(\d+)/.exec(said);
    return match === null ? undefined : [Number(match[1]), Number(match[2])];
  } catch {
    return undefined; // not installed: the callers decide what that means
  }
}
