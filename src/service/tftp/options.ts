/** What a reader asks for and what it gets: RFC 2347, 2348 (blksize), 2349 (timeout, tsize), 7440 (windowsize). */
import type { Millis } from '../../base/time.ts';
import { IPV4_HEADER_LENGTH } from '../../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH } from '../../wire/ipv6.ts';
import { IPV6_ADDRESS_LENGTH } from '../../wire/ipv6-address.ts';
import type { TftpOptions } from '../../wire/tftp.ts';
import { TFTP_DATA_HEADER_LENGTH } from '../../wire/tftp.ts';
import { UDP_HEADER_LENGTH } from '../../wire/udp.ts';

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
/** UDP and TFTP headers: a block of this and an IP header less than the MTU is not fragmented. */
const HEADERS = UDP_HEADER_LENGTH + TFTP_DATA_HEADER_LENGTH;

export interface TransferOptions {
  /** Octets of a block. */
  readonly blockLength: number;
  /** Blocks that are sent before an acknowledgement is awaited. */
  readonly window: number;
  readonly timeout: Millis;
  /** What goes into the OACK; without any there is none. */
  readonly accepted: TftpOptions;
}

/**
 * `addressLength` tells the family; `size` is undefined where it is not known in advance. Options that are unknown or out of range are
 * ignored (RFC 2347).
 */
export function negotiate(
  asked: TftpOptions,
  mtu: number,
  addressLength: number,
  size: number | undefined,
): TransferOptions {
  const accepted = new Map<string, string>();
  const blksize = integerOf(asked, 'blksize', MIN_BLOCK_LENGTH, MAX_BLOCK_LENGTH);
  const ipHeader = addressLength === IPV6_ADDRESS_LENGTH ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH;
  const longest = Math.max(MIN_BLOCK_LENGTH, mtu - ipHeader - HEADERS);
  const blockLength = blksize === undefined ? DEFAULT_BLOCK_LENGTH : Math.min(blksize, longest);
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
