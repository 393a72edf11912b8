/**
 * Forwards as people write them in lab files, on the command line and read them in lists.
 *
 *     tcp 127.0.0.1:8080 -> web:80             the guest's address, or its name in the lab
 *     udp 5353 -> 10.0.2.15:53                 without an address the host listens on 127.0.0.1, with * on all of IPv4's
 *     tcp [::1]:8080 -> [fd00::10]:80          IPv6 addresses stand in brackets; [::] is all of the host's
 *     tcp 8000-8010 -> web:8000                the ports that follow belong to the ports that follow
 *     unix /run/web.sock -> web:80             clients of a unix socket
 *     tcp *:80 -> web:80 proxy=v2 client=real  a PROXY header, the client's own address
 */
import type { StreamTarget } from '../base/host-net.ts';
import type { Issue, IssuePath } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';
import type { Ip } from '../wire/ip-address.ts';
import { octetsOf } from '../wire/ip-address.ts';
import { LOOPBACK, parseIpv4 } from '../wire/ipv4-address.ts';
import { parseIpv6 } from '../wire/ipv6-text.ts';
import type { ForwardListen, HostForward } from './forward-spec.ts';

const EXAMPLE = 'write it like tcp 127.0.0.1:8080 -> web:80';

/** Reads a rule; undefined where it has a fault, which then is the last of `issues`. */
export function readForward(text: string, path: IssuePath, issues: Issue[]): HostForward | undefined {
  const report = (fault: Fault) => void issues.push({ ...fault, path });
  const match = /^\s*(\S+)\s+(.+?)\s*->\s*(\S+)((?:\s+\S+)*)\s*$/.exec(text);
  if (match === null) return report(fault('bad-forward', `${JSON.stringify(text)} is not a forward`, EXAMPLE));
  const [, protocol, from, to, options] = match;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'unix') return report(unknownProtocol(protocol!));
  const listen = protocol === 'unix' ? unixListen(from!) : ipListen(from!);
  if ('code' in listen) return report(listen);
  const guest = readGuest(to!);
  if ('code' in guest) return report(guest);
  const told = readOptions(options!);
  if ('code' in told) return report(told);
  const rule: HostForward = { protocol: protocol === 'udp' ? 'udp' : 'tcp', listen, ...guest, ...told };
  const contradiction = contradictionOf(rule);
  return contradiction === undefined ? rule : report(contradiction);
}

/** What is wrong, without its place. */
export type Fault = Omit<Issue, 'path'>;

export function fault(code: string, message: string, hint: string): Fault {
  return { code, message, hint };
}

/** Why a rule cannot be, although each of its parts can. */
function contradictionOf({ protocol, listen, guestPort, proxyProtocol }: HostForward): Fault | undefined {
  if (protocol === 'udp' && proxyProtocol !== undefined)
    return fault('bad-forward', 'a PROXY header goes before a stream, and UDP has none', 'leave proxy= out');
  if (listen.kind === 'ip' && guestPort + listen.last - listen.first > MAX_PORT)
    return fault(
      'bad-port',
      "the guest's ports would go on behind 65535",
      'take a lower first port or a shorter range',
    );
  return undefined;
}

function unknownProtocol(word: string): Fault {
  const meant = nearestWord(word, ['tcp', 'udp', 'unix']);
  const hint = meant === undefined ? EXAMPLE : `did you mean ${meant}?`;
  return fault('unknown-protocol', `${JSON.stringify(word)} is none of tcp, udp and unix`, hint);
}

export function unixListen(path: string): UnixPath | Fault {
  if (path.startsWith('/')) return { kind: 'unix', path };
  return fault('bad-path', `the path ${path} of the socket is relative`, 'write it from / on');
}

type UnixPath = Extract<ForwardListen, { kind: 'unix' }>;

function ipListen(text: string): ForwardListen | Fault {
  const match = /^(?:(.*):)?(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) {
    const message = `${JSON.stringify(text)} is not a place to listen at`;
    return fault('bad-forward', message, 'write a port, a range such as 8000-8010, or 127.0.0.1:8080');
  }
  const [, host, firstText, lastText] = match;
  const address = host === undefined ? LOOPBACK : readListenAddress(host);
  if (isFault(address)) return address;
  const first = readPort(firstText!, 0);
  const last = lastText === undefined ? first : readPort(lastText, 0);
  if (typeof first !== 'number') return first;
  if (typeof last !== 'number') return last;
  if (last < first)
    return fault('bad-port', `the range ${first}-${last} ends before it begins`, `write ${last}-${first}`);
  if (first === 0 && last !== 0)
    return fault('bad-port', 'port 0 asks for a free port and begins no range', 'write 0, or begin with 1');
  return { kind: 'ip', address: octetsOf(address), first, last };
}

/** `*` and `localhost` stand for 0.0.0.0 and 127.0.0.1. */
function readListenAddress(text: string): Ip | Fault {
  if (text === '*') return 0;
  if (text === 'localhost') return LOOPBACK;
  return readAddress(text);
}

/** `127.0.0.1`, or `[::1]` in its brackets. */
export function readAddress(text: string): Ip | Fault {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  const address = bracketed === undefined ? parseIpv4(text) : parseIpv6(bracketed);
  if (address !== undefined) return address;
  const hint = parseIpv6(text) === undefined ? 'write one like 127.0.0.1 or [::1]' : `write [${text}]`;
  return fault('bad-address', `${JSON.stringify(text)} is not an address`, hint);
}

export function isFault(value: Ip | Fault): value is Fault {
  return typeof value === 'object' && 'code' in value;
}

const MAX_PORT = 65_535;

export function readPort(text: string, least: 0 | 1): number | Fault {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= least && port <= MAX_PORT) return port;
  return fault('bad-port', `${JSON.stringify(text)} is not a port`, `write a number from ${least} to ${MAX_PORT}`);
}

/** RFC 1035, 2.3.1, and digits in front as RFC 1123 allows. */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

function readGuest(text: string): Pick<HostForward, 'guest' | 'guestPort'> | Fault {
  const colon = text.lastIndexOf(':');
  if (colon < 0)
    return fault('bad-forward', `${JSON.stringify(text)} names no port of the guest`, `write ${text}:80, for example`);
  const guestPort = readPort(text.slice(colon + 1), 1);
  if (typeof guestPort !== 'number') return guestPort;
  const host = text.slice(0, colon);
  if (NAME.test(host) && !/^[\d.]+$/.test(host)) return { guest: host.toLowerCase(), guestPort };
  const guest = readAddress(host);
  return isFault(guest) ? guest : { guest, guestPort };
}

function readOptions(text: string): Pick<HostForward, 'proxyProtocol' | 'showsClient'> | Fault {
  let proxyProtocol: 1 | 2 | undefined;
  let showsClient = false;
  for (const option of text.split(/\s+/).filter((word) => word !== '')) {
    const setting = OPTIONS[option];
    if (setting === undefined) return unknownOption(option);
    proxyProtocol = setting.proxyProtocol ?? proxyProtocol;
    showsClient = setting.showsClient ?? showsClient;
  }
  return { showsClient, ...(proxyProtocol !== undefined && { proxyProtocol }) };
}

const OPTIONS: Readonly<Record<string, Partial<Pick<HostForward, 'proxyProtocol' | 'showsClient'>>>> = {
  'proxy=v1': { proxyProtocol: 1 },
  'proxy=v2': { proxyProtocol: 2 },
  'client=real': { showsClient: true },
  'client=gateway': { showsClient: false },
};

function unknownOption(option: string): Fault {
  const meant = nearestWord(option, Object.keys(OPTIONS));
  const hint = meant === undefined ? `the options are ${Object.keys(OPTIONS).join(', ')}` : `did you mean ${meant}?`;
  return fault('unknown-option', `${JSON.stringify(option)} is no option of a forward`, hint);
}

/** The rule as `readForward` reads it. */
export function formatForward(rule: HostForward): string {
  const { proxyProtocol, showsClient } = rule;
  const options = `${proxyProtocol === undefined ? '' : ` proxy=v${proxyProtocol}`}${showsClient ? ' client=real' : ''}`;
  return `${forwardKey(rule)} -> ${formatGuest(rule)}${options}`;
}

/** What tells a rule from the others, its protocol and where it listens: `tcp 127.0.0.1:8080`. */
export function forwardKey({ protocol, listen }: Pick<HostForward, 'protocol' | 'listen'>): string {
  if (listen.kind === 'unix') return `unix ${listen.path}`;
  const { address, first, last } = listen;
  return `${protocol} ${formatEndpoint({ address, port: first })}${last === first ? '' : `-${last}`}`;
}

/** `web:80`, `10.0.2.15:80` or `[fd00::10]:80`. */
export function formatGuest({ guest, guestPort }: Pick<HostForward, 'guest' | 'guestPort'>): string {
  return typeof guest === 'string'
    ? `${guest}:${guestPort}`
    : formatEndpoint({ address: octetsOf(guest), port: guestPort });
}

/** `tcp 192.0.2.7:80` or `unix /run/web.sock`. */
export function formatTarget(target: StreamTarget): string {
  return target.kind === 'unix' ? `unix ${target.path}` : `tcp ${formatEndpoint(target.endpoint)}`;
}
