/**
 * How vmlan's answers differ from libslirp's on purpose. A comparison names the differences that it expects; one that it does not name
 * fails it, and so does one that it names and that is not there. README.md says why of each.
 */
import { expect } from 'vitest';
import type { Fields } from './frame-fields.ts';

/** Which fields each difference may be seen in. */
export const INTENDED = {
  'dhcp-reply-addressing': ['ethernet.destination', 'ip.destination'],
  'type-of-service': ['ip.tos'],
  'dhcp-next-server': ['dhcp.siaddr'],
  'dhcp-renewal-times': ['dhcp.option.58', 'dhcp.option.59'],
  'dhcp-broadcast-address': ['dhcp.option.28'],
  'dhcp-interface-mtu': ['dhcp.option.26'],
  'dhcp-refusal': ['dhcp.yiaddr', 'dhcp.option.54', 'dhcp.option.56'],
  'dhcp-boot-options': ['dhcp.option.66', 'dhcp.option.67'],
  'tftp-transfer-port': ['udp.ports'],
  'tftp-wording': ['tftp.message'],
  'tftp-outside': ['tftp.error'],
  'one-station': ['ethernet.source', 'arp.sender', 'ndp.option.1', 'ndp.option.2'],
  'arp-length': ['frame.length'],
  'time-to-live': ['ip.ttl'],
  'dns-authority': ['dns.flags'],
  'tcp-options': ['tcp.option.mss', 'tcp.option.window-scale', 'tcp.option.sack-permitted', 'tcp.option.timestamps'],
  'tcp-dont-fragment': ['ip.flags'],
  'tcp-window': ['tcp.window'],
  'tcp-reset-header': ['tcp.window', 'ip.ttl'],
  'icmp-error-source': ['ip.source'],
  'icmp-quote-ttl': ['icmp.quote.ttl'],
  'icmp-error-header': ['ip.ttl', 'ip.tos'],
  'ra-addressing': ['ethernet.destination', 'ip.destination'],
  'ra-other-configuration': ['ra.flags'],
  'ra-mtu': ['ndp.option.5'],
  'ra-names': ['ndp.option.25', 'ndp.option.31'],
  'ra-restricted': ['ra.lifetime', 'ndp.option.25'],
  'hop-limit': ['ip.hop-limit'],
  'dhcp6-ends': ['ip.source', 'udp.ports'],
  'dhcp6-server-identifier': ['dhcp6.option.2'],
  'dhcp6-boot-url': ['dhcp6.option.59'],
  'dhcp6-search': ['dhcp6.option.24'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Intended = keyof typeof INTENDED;

/** What stands in every lease. */
export const LEASE: readonly Intended[] = [
  'dhcp-reply-addressing',
  'type-of-service',
  'dhcp-next-server',
  'dhcp-renewal-times',
  'dhcp-broadcast-address',
];

/** Both answered alike but for what is named. */
export function expectAlike(
  { libslirp, vmlan }: { readonly libslirp: Fields; readonly vmlan: Fields },
  ...intended: readonly Intended[]
): void {
  const declared = (field: string) => intended.filter((key) => (INTENDED[key] as readonly string[]).includes(field));
  const names = [...new Set([...Object.keys(libslirp), ...Object.keys(vmlan)])];
  const different = names.filter((name) => libslirp[name] !== vmlan[name]);
  const undeclared = different
    .filter((field) => declared(field).length === 0)
    .map((field) => `${field}: libslirp ${libslirp[field] ?? 'absent'}, vmlan ${vmlan[field] ?? 'absent'}`);
  const seen = different.flatMap(declared);
  const notThere = intended.filter((key) => !seen.includes(key));
  expect({ undeclared, notThere }).toEqual({ undeclared: [], notThere: [] });
}

/** What stands in a lease that names a file to boot from. */
export const BOOT_LEASE: readonly Intended[] = [
  ...LEASE.filter((key) => key !== 'dhcp-next-server'),
  'dhcp-interface-mtu',
  'dhcp-boot-options',
];

/** As many answers, each alike but for what is named. */
export function expectAllAlike(
  { libslirp, vmlan }: { readonly libslirp: readonly Fields[]; readonly vmlan: readonly Fields[] },
  ...intended: readonly Intended[]
): void {
  expect(vmlan.length).toBe(libslirp.length);
  for (const [i, answer] of libslirp.entries()) expectAlike({ libslirp: answer, vmlan: vmlan[i]! }, ...intended);
}
