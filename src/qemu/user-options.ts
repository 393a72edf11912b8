/**
 * The options of QEMU's `-netdev user` (qapi/net.json, NetdevUserOptions).
 *
 * This file knows the words; what addresses and rules among them mean is decided where the network is planned. An option that vmlan cannot
 * honour is an issue: a network that silently ignored one would not be the network that was asked for.
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
  /** The name server's address. */
  readonly dns?: string;
  /** The first address of the DHCP pool. */
  readonly dhcpstart?: string;
  /** Host name that every client is told. */
  readonly hostname?: string;
  readonly domainname?: string;
  readonly dnssearch: readonly string[];
  /** Nothing leaves the network but what a rule forwards. */
  readonly isRestricted: boolean;
  /** A folder that TFTP offers. */
  readonly tftp?: string;
  readonly bootfile?: string;
  readonly tftpServerName?: string;
  /** A folder that an SMB server shares. */
  readonly smb?: string;
  /** That server's address. */
  readonly smbserver?: string;
  /** Rules from the host into the guest. */
  readonly hostfwd: readonly string[];
  /** Rules from the guest to something on the host. */
  readonly guestfwd: readonly string[];
}

export interface ReadUserOptions {
  readonly options: UserOptions;
  readonly issues: readonly Issue[];
}

/** QEMU's own defaults. */
export const USER_NETWORK_DEFAULTS = { net: '10.0.2.0/24', leaseTime: 86_400 } as const;

/** Reads an option string such as `net=10.0.3.0/24,tftp=boot,bootfile=menu.ipxe`; a leading `user` and an `id` may stand as in QEMU. */
export function parseUserOptions(text: string): ReadUserOptions {
  const given = parseOptionString(text);
  return readUserOptions(given[0]?.key === 'user' && given[0].value === undefined ? given.slice(1) : given);
}

/** Of an option that stands several times the last counts, as in QEMU; lists take all. */
export function readUserOptions(given: readonly QemuOption[]): ReadUserOptions {
  const issues: Issue[] = [];
  const texts: Partial<Record<TextKey, string>> = {};
  const lists: Record<ListKey, string[]> = { dnssearch: [], hostfwd: [], guestfwd: [] };
  let isRestricted = false;
  for (const option of given) {
    const { key, value } = option;
    if (isTextKey(key) || isListKey(key)) {
      const issue = valueIssue(key, value);
      if (issue !== undefined) issues.push(issue);
      else if (isTextKey(key)) texts[TEXT_KEYS[key]] = value!;
      else lists[key].push(value!);
    } else if (key !== 'id') {
      const flag = switchOf(option);
      if (flag === undefined) issues.push(refusal(key));
      else if (flag.isOn === undefined) issues.push(notASwitch(flag.key));
      else if (flag.key === 'restrict') isRestricted = flag.isOn;
      else if (flag.isOn !== (flag.key === 'ipv4')) issues.push(FAMILY_ISSUES[flag.key]);
    }
  }
  return { options: { ...texts, ...lists, isRestricted }, issues };
}

/** The names of the options that ask for something else than QEMU's default. */
export function givenOptions(options: UserOptions): readonly string[] {
  const texts = Object.entries(TEXT_KEYS).flatMap(([name, key]) => (options[key] === undefined ? [] : [name]));
  const lists = LIST_KEYS.filter((key) => options[key].length > 0);
  return [...texts, ...lists, ...(options.isRestricted ? ['restrict'] : [])];
}

type ListKey = 'dnssearch' | 'hostfwd' | 'guestfwd';
type TextKey = Exclude<keyof UserOptions, ListKey | 'isRestricted'>;

const TEXT_KEYS = {
  net: 'net',
  host: 'host',
  dns: 'dns',
  dhcpstart: 'dhcpstart',
  hostname: 'hostname',
  domainname: 'domainname',
  tftp: 'tftp',
  bootfile: 'bootfile',
  'tftp-server-name': 'tftpServerName',
  smb: 'smb',
  smbserver: 'smbserver',
} as const satisfies Record<string, TextKey>;

const LIST_KEYS: readonly ListKey[] = ['dnssearch', 'hostfwd', 'guestfwd'];

function isTextKey(key: string): key is keyof typeof TEXT_KEYS {
  return Object.hasOwn(TEXT_KEYS, key);
}

function isListKey(key: string): key is ListKey {
  return (LIST_KEYS as readonly string[]).includes(key);
}

/** What DHCP tells in one option, whose length ends at 255 octets (RFC 2132, 2). */
const TOLD_BY_DHCP = ['hostname', 'domainname', 'dnssearch', 'bootfile', 'tftp-server-name'];
const MAX_VALUE_OCTETS = 255;

function valueIssue(key: string, value: string | undefined): Issue | undefined {
  if (value === undefined || value === '') {
    return {
      code: 'empty-value',
      path: [key],
      message: 'the value is missing',
      hint: `write ${key}=VALUE or leave it out`,
    };
  }
  if (TOLD_BY_DHCP.includes(key) && new TextEncoder().encode(value).length > MAX_VALUE_OCTETS) {
    return {
      code: 'too-long',
      path: [key],
      message: `the value is longer than ${MAX_VALUE_OCTETS} octets`,
      hint: 'DHCP cannot carry it; shorten it',
    };
  }
  return undefined;
}

const SWITCHES = ['restrict', 'ipv4', 'ipv6'] as const;
type Switch = (typeof SWITCHES)[number];

/** `restrict=on`, `restrict` or `norestrict`; without `isOn` where the value is neither on nor off. */
function switchOf({ key, value }: QemuOption): { readonly key: Switch; readonly isOn?: boolean } | undefined {
  const named = SWITCHES.find((name) => name === key);
  if (named !== undefined)
    return { key: named, ...(ON_OFF.has(value ?? 'on') && { isOn: ON_OFF.get(value ?? 'on')! }) };
  const negated = SWITCHES.find((name) => `no${name}` === key);
  return negated === undefined || value !== undefined ? undefined : { key: negated, isOn: false };
}

/** The words that QEMU's QAPI visitor takes (qapi/opts-visitor.c). */
const ON_OFF: ReadonlyMap<string, boolean> = new Map([
  ...['on', 'yes', 'true', 'y'].map((word) => [word, true] as const),
  ...['off', 'no', 'false', 'n'].map((word) => [word, false] as const),
]);

function notASwitch(key: string): Issue {
  return {
    code: 'bad-value',
    path: [key],
    message: 'the value is neither on nor off',
    hint: `write ${key}=on or leave it out`,
  };
}

const NO_IPV6 = 'vmlan does not give guests IPv6 addresses yet';

/** Said where one family is asked for that is not there, or the only one that is there is not wanted. */
const FAMILY_ISSUES: Readonly<Record<'ipv4' | 'ipv6', Issue>> = {
  ipv4: {
    code: 'not-supported',
    path: ['ipv4'],
    message: 'without IPv4 nothing would be left',
    hint: 'write ipv4=on or leave it out',
  },
  ipv6: { code: 'not-supported', path: ['ipv6'], message: NO_IPV6, hint: 'write ipv6=off or leave it out' },
};

const NOT_SUPPORTED: Readonly<Record<string, string>> = {
  'ipv6-net': NO_IPV6,
  'ipv6-prefix': NO_IPV6,
  'ipv6-prefixlen': NO_IPV6,
  'ipv6-host': NO_IPV6,
  'ipv6-dns': NO_IPV6,
  ip: 'QEMU itself gave this name up; use net=',
};

const KNOWN_KEYS = [...Object.keys(TEXT_KEYS), ...LIST_KEYS, ...SWITCHES, ...Object.keys(NOT_SUPPORTED), 'id'];

function refusal(key: string): Issue {
  const reason = Object.hasOwn(NOT_SUPPORTED, key) ? NOT_SUPPORTED[key] : undefined;
  if (reason !== undefined) return { code: 'not-supported', path: [key], message: reason, hint: `leave ${key} out` };
  const meant = nearestWord(key, KNOWN_KEYS);
  const hint = meant === undefined ? "see the options of -netdev user in QEMU's manual" : `did you mean ${meant}?`;
  return { code: 'unknown-option', path: [key], message: 'QEMU knows no such option of -netdev user', hint };
}
