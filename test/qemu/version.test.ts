import { describe, expect, it } from 'vitest';
import { formatQemuVersion, parseQemuVersion, qemuFeatures } from '../../src/qemu/version.ts';

describe("QEMU's version", () => {
  it.each([
    ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c) 2003-2022 Fabrice Bellard', '7.2.22'],
    ['QEMU emulator version 9.2.0 (qemu-9.2.0-1.fc42)', '9.2.0'],
    ['QEMU emulator version 10.0.50 (v10.0.0-1234-gabcdef)', '10.0.50'],
    ['QEMU emulator version 11.1', '11.1.0'],
  ])('is read from %j', (text, version) => {
    expect(formatQemuVersion(parseQemuVersion(text)!)).toBe(version);
  });

  it.each(['', 'bash: qemu: command not found', 'QEMU emulator version unknown'])('is not found in %j', (text) => {
    expect(parseQemuVersion(text)).toBeUndefined();
  });

  it.each([
    ['6.2.0', false, 'none'],
    ['7.1.0', false, 'none'],
    ['7.2.22', true, 'none'],
    ['8.0.0', true, 'seconds'],
    ['9.1.3', true, 'seconds'],
    ['9.2.0', true, 'milliseconds'],
    ['10.2.0', true, 'milliseconds'],
  ])('%s decides about stream and reconnect', (version, hasStreamNetdev, reconnect) => {
    expect(qemuFeatures(parseQemuVersion(`version ${version}`)!)).toEqual({ hasStreamNetdev, reconnect });
  });
});
