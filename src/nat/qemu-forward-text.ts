/**
 * Forwards as QEMU's `-netdev user` writes them (docs/system/invocation, `hostfwd` and `guestfwd`).
 *
 *     hostfwd   [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT        unix:/PATH-[GUESTADDR]:GUESTPORT
 *     guestfwd  [tcp]:SERVER:PORT-cmd:COMMAND      …-tcp:ADDR:PORT      …-unix:/PATH
 */
import type { Issue, IssuePath } from '../base/issue.ts';
import type { Ip } from '../wire/ip-address.ts';
import { octetsOf } from '../wire/ip-address.ts';
import { LOOPBACK } from '../wire/ipv4-address.ts';
import type { ForwardListen, GuestForward, HostForward } from './forward-spec.ts';
import type { Fault } from './forward-text.ts';
import { fault, isFault, readAddress, readPort, unixListen } from './forward-text.ts';

export interface HostfwdDefaults {
  /** Who is meant where the rule names no guest; undefined on a network without IPv4. */
  readonly guest: Ip | undefined;
  /** An empty host address means every address of the host, as in QEMU, and not 127.0.0.1. */
  readonly listensEverywhere: boolean;
}

const HOSTFWD_FORM = 'write [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT';

/** Reads the value of `hostfwd=`; undefined where it has a fault, which then is the last of `issues`. */
export function readHostfwd(
  text: string,
  defaults: HostfwdDefaults,
  path: IssuePath,
  issues: Issue[],
): HostForward | undefined {
  const rule = text.startsWith('unix:') ? unixRule(text, defaults) : ipRule(text, defaults);
  if (!('code' in rule)) return rule;
  issues.push({ ...rule, path });
  return undefined;
}

function unixRule(text: string, defaults: HostfwdDefaults): HostForward | Fault {
  const match = /^unix:(.+)-([^-:]*):([^:]*)$/.exec(text);
  if (match === null) return badHostfwd(text, 'write unix:/PATH-[GUESTADDR]:GUESTPORT');
  const [, path, guest, port] = match;
  return ruleOf('tcp', unixListen(path!), guest!, port!, defaults);
}

function ipRule(text: string, defaults: HostfwdDefaults): HostForward | Fault {
  const match = /^([^:]*):(\[[^\]]*\]|[^:]*):([^:-]*)-(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text);
  if (match === null) return badHostfwd(text, HOSTFWD_FORM);
  const [, protocol, host, port, guest, guestPort] = match;
  if (protocol !== '' && protocol !== 'tcp' && protocol !== 'udp')
    return fault('unknown-protocol', `${JSON.stringify(protocol)} is none of tcp, udp and unix`, HOSTFWD_FORM);
  return ruleOf(protocol === 'udp' ? 'udp' : 'tcp', ipListen(host!, port!, defaults), guest!, guestPort!, defaults);
}

function badHostfwd(text: string, hint: string): Fault {
  return fault('bad-forward', `${JSON.stringify(text)} is not a rule of hostfwd`, hint);
}

function ipListen(host: string, portText: string, { listensEverywhere }: HostfwdDefaults): ForwardListen | Fault {
  const address = host === '' ? (listensEverywhere ? 0 : LOOPBACK) : readAddress(host);
  if (isFault(address)) return address;
  const port = readPort(portText, 0);
  if (typeof port !== 'number') return port;
  return { kind: 'ip', address: octetsOf(address), first: port, last: port };
}

/** As libslirp does, a client that is not on the host's loopback is shown to the guest. */
function ruleOf(
  protocol: HostForward['protocol'],
  listen: ForwardListen | Fault,
  guestText: string,
  portText: string,
  defaults: HostfwdDefaults,
): HostForward | Fault {
  if ('code' in listen) return listen;
  const guest = guestText === '' ? defaults.guest : readAddress(guestText);
  if (guest === undefined) return badHostfwd(portText, 'name the guest, as in tcp::2222-[fec0::15]:22');
  if (isFault(guest)) return guest;
  const guestPort = readPort(portText, 1);
  if (typeof guestPort !== 'number') return guestPort;
  return { protocol, listen, guest, guestPort, showsClient: true };
}

const GUESTFWD_FORM = 'write [tcp]:SERVER:PORT-cmd:COMMAND, -tcp:ADDR:PORT or -unix:/PATH';

/** Reads the value of `guestfwd=`; undefined where it has a fault, which then is the last of `issues`. */
export function readGuestfwd(text: string, path: IssuePath, issues: Issue[]): GuestForward | undefined {
  const rule = guestRule(text);
  if (!('code' in rule)) return rule;
  issues.push({ ...rule, path });
  return undefined;
}

function guestRule(text: string): GuestForward | Fault {
  const match = /^([^:]*):(\[[^\]]*\]|[^:]*):([^:-]*)-(.*)$/s.exec(text);
  if (match === null) return fault('bad-forward', `${JSON.stringify(text)} is not a rule of guestfwd`, GUESTFWD_FORM);
  const [, protocol, server, portText, device] = match;
  if (protocol !== '' && protocol !== 'tcp')
    return fault('unknown-protocol', `guestfwd has TCP only, not ${JSON.stringify(protocol)}`, GUESTFWD_FORM);
  const address = readAddress(server!);
  if (isFault(address)) return address;
  const port = readPort(portText!, 1);
  if (typeof port !== 'number') return port;
  const to = readDevice(device!);
  return 'code' in to ? to : { address, port, to };
}

/** QEMU's short forms of character devices. Each connection of the guest gets its own. */
function readDevice(text: string): GuestForward['to'] | Fault {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? '' : text.slice(colon + 1);
  switch (kind) {
    case 'cmd':
      if (rest.trim() === '') return fault('bad-forward', 'the command is missing', 'write it behind cmd:');
      return { kind: 'command', command: rest };
    case 'tcp':
      return tcpDevice(rest);
    case 'unix':
      return unixDevice(rest);
    default: {
      const message = `a connection cannot be forwarded to the character device ${JSON.stringify(kind)}`;
      return fault('not-supported', message, 'use cmd:, tcp: or unix:');
    }
  }
}

function tcpDevice(text: string): GuestForward['to'] | Fault {
  const match = /^(\[[^\]]*\]|[^:,]*):([^:,]*)(,.*)?$/.exec(text);
  if (match === null) return fault('bad-forward', `${JSON.stringify(text)} is not ADDR:PORT`, GUESTFWD_FORM);
  const [, host, portText, options] = match;
  if (options !== undefined) return deviceOptions(options);
  const address = host === 'localhost' ? LOOPBACK : readAddress(host!);
  if (isFault(address)) return address;
  const port = readPort(portText!, 1);
  return typeof port === 'number' ? { kind: 'tcp', endpoint: { address: octetsOf(address), port } } : port;
}

function unixDevice(text: string): GuestForward['to'] | Fault {
  const comma = text.indexOf(',');
  if (comma >= 0) return deviceOptions(text.slice(comma));
  return unixListen(text);
}

function deviceOptions(options: string): Fault {
  const message = `options of a character device (${options.slice(1)}) have no meaning here: each connection of the guest connects`;
  return fault('not-supported', message, 'leave them out');
}
