/** Values of a lab file that are written as one text. Every parser answers undefined where the text is something else. */
import type { Millis } from '../base/time.ts';
import type { HostAccess } from '../policy/egress.ts';
import { parseAddress } from '../wire/endpoint-text.ts';
import { parseIpv4 } from '../wire/ipv4-address.ts';
import { parseIpv6 } from '../wire/ipv6-text.ts';
import type { AddressRange } from './derive.ts';
import type { Ipv6Range } from './derive-ipv6.ts';
import { isDomain } from './names.ts';

/** `10.0.2.15-10.0.2.99`. */
export function parseRange(text: string): AddressRange | undefined {
  const [from, to, ...rest] = text.split('-').map((part) => parseIpv4(part.trim()));
  return from === undefined || to === undefined || rest.length > 0 ? undefined : { first: from, last: to };
}

/** `fd00::100-fd00::1ff`. */
export function parseIpv6Range(text: string): Ipv6Range | undefined {
  const [first, last, ...rest] = text.split('-').map((part) => parseIpv6(part.trim()));
  return first === undefined || last === undefined || rest.length > 0 ? undefined : { first, last };
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90m` as seconds, 10 s to 365 d. */
export function parseLease(text: string): number | undefined {
  return parseSeconds(text, 10, 365 * SECONDS.d);
}

/** `30m` as seconds, 10 to 150 min: what RFC 4861, 6.2.1, allows of AdvDefaultLifetime where MaxRtrAdvInterval is 600 s. */
export function parseRouterLifetime(text: string): number | undefined {
  return parseSeconds(text, 600, 9000);
}

function parseSeconds(text: string, least: number, most: number): number | undefined {
  const match = /^(\d{1,8})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * SECONDS[(match?.[2] ?? 's') as keyof typeof SECONDS];
  return seconds >= least && seconds <= most ? seconds : undefined;
}

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000 } as const;

/** `10s` as milliseconds, 0 s to 10 min. */
export function parsePatience(text: string): Millis | undefined {
  const match = /^(\d{1,6})(ms|s|m)$/.exec(text);
  const time = Number(match?.[1]) * MILLISECONDS[(match?.[2] ?? 's') as keyof typeof MILLISECONDS];
  return time <= 10 * MILLISECONDS.m ? time : undefined;
}

/** `512M` or `2G` as MiB. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d{1,7})([MG])$/.exec(text);
  const size = Number(match?.[1]) * (match?.[2] === 'G' ? 1024 : 1);
  return size >= 1 ? size : undefined;
}

/** `tcp 8000` or `udp 5000-5010`. */
export function parseHostAccess(text: string): HostAccess | undefined {
  const match = /^(tcp|udp)\s+(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const first = Number(match[2]);
  const last = Number(match[3] ?? match[2]);
  if (first < 1 || last > 65_535 || last < first) return undefined;
  return { protocol: match[1] as 'tcp' | 'udp', first, last };
}

/** As `parseHostAccess` reads it. */
export function formatHostAccess({ protocol, first, last }: HostAccess): string {
  return `${protocol} ${first}${last === first ? '' : `-${last}`}`;
}

/** A domain name, perhaps with a final dot: in small letters, without it. */
export function parseName(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase();
  return isDomain(name) ? name : undefined;
}

/** The owner of DNS records: a name, or `*` or `*.NAME` for all names below one. */
export function parseOwner(text: string): string | undefined {
  if (text === '*') return text;
  const name = parseName(text.replace(/^\*\./, ''));
  return name === undefined || !text.startsWith('*.') ? name : `*.${name}`;
}

/** `PREFERENCE EXCHANGE`, as in a zone file. */
export function parseMx(text: string): { readonly preference: number; readonly exchange: string } | undefined {
  const [preference, exchange, ...rest] = text.trim().split(/\s+/);
  const name = parseName(exchange ?? '');
  if (!isUint16(preference) || name === undefined || rest.length > 0) return undefined;
  return { preference: Number(preference), exchange: name };
}

export interface SrvText {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** `PRIORITY WEIGHT PORT TARGET`, as in a zone file. */
export function parseSrv(text: string): SrvText | undefined {
  const [priority, weight, port, target, ...rest] = text.trim().split(/\s+/);
  const name = parseName(target ?? '');
  if (![priority, weight, port].every(isUint16) || name === undefined || rest.length > 0) return undefined;
  return { priority: Number(priority), weight: Number(weight), port: Number(port), target: name };
}

/** An IPv6 address, as it is written. */
export function parseAaaa(text: string): string | undefined {
  return parseAddress(text)?.length === 16 ? text : undefined;
}

function isUint16(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}
