/** What a reader asks for and what it gets: RFC 2347, 2348 (blksize), 2349 (timeout, tsize), 7440 (windowsize). */
import type { Millis } from '../../base/time.ts';
import type { TftpOptions } from '../../wire/tftp.ts';

/** RFC 1350. */
const DEFAULT_BLOCK_LENGTH = 512;
const DEFAULT_TIMEOUT: Millis = 1000;
const MIN_BLOCK_LENGTH = 8;
const MAX_BLOCK_LENGTH = 65_464;
const MAX_WINDOW = 64;
/** Seconds; RFC 2349 has 255, which would hold a transfer for 21 minutes that nobody reads. */
const MAX_TIMEOUT = 30;
/** Octets of one transfer that wait for their acknowledgement. */
const MAX_WINDOW_LENGTH = 128 * 1024;
/** IPv4, UDP and TFTP headers: a block of this much less than the MTU is not fragmented. */
const HEADERS = 32;

export interface TransferOptions {
  /** Octets of a block. */
  readonly blockLength: number;
  /** Blocks that are sent before an acknowledgement is awaited. */
  readonly window: number;
  readonly timeout: Millis;
  /** What goes into the OACK; without any there is none. */
  readonly accepted: TftpOptions;
}

/** `size` is undefined where it is not known in advance. Options that are unknown or out of range are ignored (RFC 2347). */
export function negotiate(asked: TftpOptions, mtu: number, size: number | undefined): TransferOptions {
  const accepted = new Map<string, string>();
  const blksize = integerOf(asked, 'blksize', MIN_BLOCK_LENGTH, MAX_BLOCK_LENGTH);
  const blockLength =
    blksize === undefined ? DEFAULT_BLOCK_LENGTH : Math.min(blksize, Math.max(MIN_BLOCK_LENGTH, mtu - HEADERS));
  if (blksize !== undefined) accepted.set('blksize', `${blockLength}`);
  const timeout = integerOf(asked, 'timeout', 1, MAX_TIMEOUT);
  if (timeout !== undefined) accepted.set('timeout', `${timeout}`);
  if (asked.has('tsize') && size !== undefined) accepted.set('tsize', `${size}`);
  const windowsize = integerOf(asked, 'windowsize', 1, 65_535);
  const widest = Math.max(1, Math.min(MAX_WINDOW, Math.floor(MAX_WINDOW_LENGTH / blockLength)));
  const window = Math.min(windowsize ?? 1, widest);
  if (windowsize !== undefined) accepted.set('windowsize', `${window}`);
  return { blockLength, window, timeout: timeout === undefined ? DEFAULT_TIMEOUT : timeout * 1000, accepted };
}

function integerOf(options: TftpOptions, name: string, min: number, max: number): number | undefined {
  const text = options.get(name);
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
