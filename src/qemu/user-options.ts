/**
 * The options of QEMU's `-netdev user` (qapi/net.json, NetdevUserOptions), as far as vmlan has what they ask for.
 *
 * This file knows the words; what the addresses among them mean is decided where the network is planned. An option that vmlan cannot
 * honour is an issue: a network that silently ignored `hostfwd` or `restrict` would not be the one that was asked for.
 */
import type { Issue } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import type { QemuOption } from './option-string.ts';
import { parseOptionString } from './option-string.ts';

/** The values as written; what is undefined has QEMU's default. */
export interface UserOptions {
  /** `ADDRESS[/MASK]`, the mask as a length or dotted. */
  readonly net?: string;
  /** The gateway's address. */
  readonly host?: string;
  /** The first address of the DHCP pool. */
  readonly dhcpstart?: string;
  /** Host name that every client is told. */
  readonly hostname?: string;
  readonly domainname?: string;
  readonly dnssearch: readonly string[];
  /** A folder that TFTP offers. */
  readonly tftp?: string;
  readonly bootfile?: string;
  readonly tftpServerName?: string;
}

/** QEMU's own defaults. */
export const USER_NETWORK_DEFAULTS = { net: '10.0.2.0/24', leaseTime: 86_400 } as const;

/** Reads an option string such as `net=10.0.3.0/24,tftp=boot,bootfile=menu.ipxe`; a leading `user` and an `id` may stand as in QEMU. */
export function parseUserOptions(text: string): { readonly options: UserOptions; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const texts: Partial<Record<TextKey, string>> = {};
  const dnssearch: string[] = [];
  const given = parseOptionString(text);
  const options = given[0]?.key === 'user' && given[0].value === undefined ? given.slice(1) : given;
  for (const option of options) {
    const { key, value } = option;
    if (isTextKey(key) && value !== undefined) {
      const issue = valueIssue(key, value);
      if (issue === undefined) texts[TEXT_KEYS[key]] = value;
      else issues.push(issue);
    } else if (key === 'dnssearch' && value !== undefined) {
      dnssearch.push(value);
    } else if (key !== 'id') {
      const issue = refusal(option);
      if (issue !== undefined) issues.push(issue);
    }
  }
  return { options: { ...texts, dnssearch }, issues };
}

type TextKey = Exclude<keyof UserOptions, 'dnssearch'>;

const TEXT_KEYS = {
  net: 'net',
  host: 'host',
  dhcpstart: 'dhcpstart',
  hostname: 'hostname',
  domainname: 'domainname',
  tftp: 'tftp',
  bootfile: 'bootfile',
  'tftp-server-name': 'tftpServerName',
} as const satisfies Record<string, TextKey>;

function isTextKey(key: string): key is keyof typeof TEXT_KEYS {
  return Object.hasOwn(TEXT_KEYS, key);
}

/** The length of a DHCP option ends at 255 octets (RFC 2132, 2). */
const MAX_VALUE_OCTETS = 255;

function valueIssue(key: string, value: string): Issue | undefined {
  if (value === '')
    return {
      code: 'empty-value',
      path: [key],
      message: 'the value is missing',
      hint: `write ${key}=VALUE or leave it out`,
    };
  const isTold = key !== 'tftp';
  if (isTold && new TextEncoder().encode(value).length > MAX_VALUE_OCTETS) {
    return {
      code: 'too-long',
      path: [key],
      message: `the value is longer than ${MAX_VALUE_OCTETS} octets`,
      hint: 'DHCP cannot carry it; shorten it',
    };
  }
  return undefined;
}

const NOT_SUPPORTED: Readonly<Record<string, string>> = {
  dns: 'vmlan has no name server yet',
  restrict: 'vmlan has no way out of the network yet, so there is nothing to restrict',
  hostfwd: 'vmlan does not forward from the host to guests yet',
  guestfwd: 'vmlan does not forward from guests to the host yet',
  smb: 'vmlan has no SMB server; share files over TFTP or a 9p device',
  smbserver: 'vmlan has no SMB server',
  ipv6: 'vmlan does not give guests IPv6 addresses yet',
  'ipv6-net': 'vmlan does not give guests IPv6 addresses yet',
  'ipv6-prefix': 'vmlan does not give guests IPv6 addresses yet',
  'ipv6-prefixlen': 'vmlan does not give guests IPv6 addresses yet',
  'ipv6-host': 'vmlan does not give guests IPv6 addresses yet',
  'ipv6-dns': 'vmlan has no name server yet',
  ip: 'QEMU itself gave this name up; use net=',
};

const KNOWN_KEYS = [...Object.keys(TEXT_KEYS), ...Object.keys(NOT_SUPPORTED), 'dnssearch', 'ipv4', 'id'];

/** Why an option cannot be taken; undefined for those that ask for what is so anyway. */
function refusal({ key, value }: QemuOption): Issue | undefined {
  if (key === 'ipv4' || key === 'noipv4') return ipv4Refusal(key === 'ipv4' ? (value ?? 'on') : 'off');
  if ((key === 'ipv6' && value === 'off') || key === 'noipv6') return undefined;
  const reason = Object.hasOwn(NOT_SUPPORTED, key) ? NOT_SUPPORTED[key] : undefined;
  if (reason !== undefined) return { code: 'not-supported', path: [key], message: reason, hint: `leave ${key} out` };
  if (isTextKey(key) || key === 'dnssearch')
    return { code: 'empty-value', path: [key], message: 'the value is missing', hint: `write ${key}=VALUE` };
  const meant = nearestWord(key, KNOWN_KEYS);
  const hint = meant === undefined ? "see the options of -netdev user in QEMU's manual" : `did you mean ${meant}?`;
  return { code: 'unknown-option', path: [key], message: 'QEMU knows no such option of -netdev user', hint };
}

function ipv4Refusal(value: string): Issue | undefined {
  if (value === 'on') return undefined;
  const message = value === 'off' ? 'without IPv4 nothing would be left' : 'the value is neither on nor off';
  return {
    code: value === 'off' ? 'not-supported' : 'bad-value',
    path: ['ipv4'],
    message,
    hint: 'write ipv4=on or leave it out',
  };
}
