/**
 * `guestfwd` as people write it in lab files: where guests connect to, and what of the host answers there.
 *
 *     10.0.2.100:80 -> tcp 127.0.0.1:8080      a socket of the host, or of the host's network
 *     10.0.2.100:80 -> unix /run/web.sock
 *     10.0.2.100:7 -> command cat              a line for the shell, started for each connection
 */
import type { Issue, IssuePath } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import { parseEndpoint } from '../wire/endpoint-text.ts';
import type { GuestForward } from './forward-spec.ts';
import type { Fault } from './forward-text.ts';
import { fault, isFault, readAddress, readPort, unixListen } from './forward-text.ts';

const EXAMPLE = 'write it like 10.0.2.100:80 -> tcp 127.0.0.1:8080';

/** Reads a rule; undefined where it has a fault, which then is the last of `issues`. */
export function readGuestForward(text: string, path: IssuePath, issues: Issue[]): GuestForward | undefined {
  const rule = ruleOf(text);
  if (!('code' in rule)) return rule;
  issues.push({ ...rule, path });
  return undefined;
}

function ruleOf(text: string): GuestForward | Fault {
  const match = /^\s*(\[[^\]\s]*\]|[^\s:]+):(\S+)\s*->\s*(\S+)(?:\s+(.*\S))?\s*$/s.exec(text);
  if (match === null) return fault('bad-forward', `${JSON.stringify(text)} is not a forward`, EXAMPLE);
  const address = readAddress(match[1]!);
  if (isFault(address)) return address;
  const port = readPort(match[2]!, 1);
  if (typeof port !== 'number') return port;
  const to = targetOf(match[3]!, match[4]);
  return 'code' in to ? to : { address, port, to };
}

const KINDS = ['tcp', 'unix', 'command'];

function targetOf(kind: string, rest: string | undefined): GuestForward['to'] | Fault {
  if (!KINDS.includes(kind)) {
    const meant = nearestWord(kind, KINDS);
    const hint = meant === undefined ? EXAMPLE : `did you mean ${meant}?`;
    return fault('unknown-target', `${JSON.stringify(kind)} is none of tcp, unix and command`, hint);
  }
  if (rest === undefined) return fault('bad-forward', `nothing stands behind ${kind}`, EXAMPLE);
  if (kind === 'command') return { kind, command: rest };
  if (kind === 'unix') return unixListen(rest);
  const endpoint = parseEndpoint(rest.replace(/^localhost:/, '127.0.0.1:'));
  if (endpoint !== undefined && endpoint.port > 0) return { kind: 'tcp', endpoint };
  return fault('bad-address', `${JSON.stringify(rest)} is not an address with a port`, 'write one like 127.0.0.1:8080');
}
