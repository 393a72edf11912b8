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
  /** `ipv6-prefix`, or what stands before the slash of `ipv6-net`. */
  readonly ipv6Prefix?: string;
  /** `ipv6-prefixlen`, or what stands behind that slash. */
  readonly ipv6PrefixLength?: string;
  /** The gateway's IPv6 address. */
  readonly ipv6Host?: string;
  /** The name server's. */
  readonly ipv6Dns?: string;
  /** Host name that every client is told. */
  readonly hostname?: string;
  readonly domainname?: string;
  readonly dnssearch: readonly string[];
  /** Nothing leaves the network but what a rule forwards. */
  readonly isRestricted: boolean;
  /** Both, unless a family is switched off, or the other alone is switched on. */
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
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
export const USER_NETWORK_DEFAULTS = {
  net: '10.0.2.0/24',
  ipv6Prefix: 'fec0::',
  ipv6PrefixLength: '64',
  leaseTime: 86_400,
} as const;

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
  const flags: Partial<Record<Switch, boolean>> = {};
  for (const option of given.flatMap(inFull)) {
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
      else flags[flag.key] = flag.isOn;
    }
  }
  const { restrict = false, ipv4, ipv6 } = flags;
  const families = { hasIpv4: ipv4 ?? ipv6 !== true, hasIpv6: ipv6 ?? ipv4 !== true };
  issues.push(...familyIssues(families, given));
  return { options: { ...texts, ...lists, isRestricted: restrict, ...families }, issues };
}

/** `ipv6-net=PREFIX[/LENGTH]` is short for `ipv6-prefix` and `ipv6-prefixlen`, as net/net.c of QEMU reads it. */
function inFull(option: QemuOption): readonly QemuOption[] {
  const { key, value } = option;
  if (key !== 'ipv6-net') return [option];
  const slash = value?.indexOf('/') ?? -1;
  if (value === undefined || slash < 0) return [{ ...option, key: 'ipv6-prefix' }];
  return [
    { key: 'ipv6-prefix', value: value.slice(0, slash) },
    { key: 'ipv6-prefixlen', value: value.slice(slash + 1) },
  ];
}

/** Options that mean nothing without the family that they are about. */
const OF_FAMILY = {
  ipv4: ['net', 'host', 'dns', 'dhcpstart', 'smb', 'smbserver', 'guestfwd'],
  ipv6: ['ipv6-net', 'ipv6-prefix', 'ipv6-prefixlen', 'ipv6-host', 'ipv6-dns'],
} as const;

function familyIssues(
  { hasIpv4, hasIpv6 }: Pick<UserOptions, 'hasIpv4' | 'hasIpv6'>,
  given: readonly QemuOption[],
): readonly Issue[] {
  if (!hasIpv4 && !hasIpv6) {
    const message = 'without IPv4 and IPv6 nothing is left';
    return [{ code: 'no-family', path: ['ipv6'], message, hint: 'switch one of them on' }];
  }
  const off = hasIpv4 ? 'ipv6' : 'ipv4';
  const inVain = hasIpv4 && hasIpv6 ? [] : OF_FAMILY[off].filter((name) => given.some(({ key }) => key === name));
  return inVain.map((key) => ({
    code: 'family-off',
    path: [key],
    message: `${off} is off, so nothing would be done about ${key}`,
    hint: `write ${off}=on, or leave ${key} out`,
  }));
}

/** The names of the options that ask for something else than QEMU's default. */
export function givenOptions(options: UserOptions): readonly string[] {
  const texts = Object.entries(TEXT_KEYS).flatMap(([name, key]) => (options[key] === undefined ? [] : [name]));
  const lists = LIST_KEYS.filter((key) => options[key].length > 0);
  return [
    ...texts,
    ...lists,
    ...(options.isRestricted ? ['restrict'] : []),
    ...(options.hasIpv4 ? [] : ['ipv4']),
    ...(options.hasIpv6 ? [] : ['ipv6']),
  ];
}

type ListKey = 'dnssearch' | 'hostfwd' | 'guestfwd';
type TextKey = Exclude<keyof UserOptions, ListKey | 'isRestricted' | 'hasIpv4' | 'hasIpv6'>;

const TEXT_KEYS = {
  net: 'net',
  host: 'host',
  dns: 'dns',
  dhcpstart: 'dhcpstart',
  'ipv6-prefix': 'ipv6Prefix',
  'ipv6-prefixlen': 'ipv6PrefixLength',
  'ipv6-host': 'ipv6Host',
  'ipv6-dns': 'ipv6Dns',
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

const NOT_SUPPORTED: Readonly<Record<string, string>> = {
  ip: 'QEMU itself gave this name up; use net=',
};

const KNOWN_KEYS = [
  ...Object.keys(TEXT_KEYS),
  'ipv6-net',
  ...LIST_KEYS,
  ...SWITCHES,
  ...Object.keys(NOT_SUPPORTED),
  'id',
];

function refusal(key: string): Issue {
  const reason = Object.hasOwn(NOT_SUPPORTED, key) ? NOT_SUPPORTED[key] : undefined;
  if (reason !== undefined) return { code: 'not-supported', path: [key], message: reason, hint: `leave ${key} out` };
  const meant = nearestWord(key, KNOWN_KEYS);
  const hint = meant === undefined ? "see the options of -netdev user in QEMU's manual" : `did you mean ${meant}?`;
  return { code: 'unknown-option', path: [key], message: 'QEMU knows no such option of -netdev user', hint };
}
