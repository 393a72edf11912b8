/** Which QEMU is installed, and what its `stream` netdev can do. */

export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The first with the `stream` netdev; taken where nobody says which it is. */
export const OLDEST_QEMU: QemuVersion = { major: 7, minor: 2, patch: 0 };

/** How a `stream` netdev that lost its connection is told to try again. */
export type ReconnectOption =
  /** Not at all: the link stays down. */
  | 'none'
  /** `reconnect=SECONDS`. */
  | 'seconds'
  /** `reconnect-ms=MILLISECONDS`. */
  | 'milliseconds';

export interface QemuFeatures {
  readonly hasStreamNetdev: boolean;
  readonly reconnect: ReconnectOption;
}

/** Reads what `qemu-system-… -version` prints; undefined where that is something else. */
export function parseQemuVersion(text: string): QemuVersion | undefined {
  const match = /\bversion (\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

export function formatQemuVersion({ major, minor, patch }: QemuVersion): string {
  return `${major}.${minor}.${patch}`;
}

/** What qapi/net.json gives a version: `stream` since 7.2, `reconnect` 8.0 to 10.1, `reconnect-ms` since 9.2. */
export function qemuFeatures(version: QemuVersion): QemuFeatures {
  return {
    hasStreamNetdev: isAtLeast(version, 7, 2),
    reconnect: isAtLeast(version, 9, 2) ? 'milliseconds' : isAtLeast(version, 8, 0) ? 'seconds' : 'none',
  };
}

function isAtLeast(version: QemuVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
