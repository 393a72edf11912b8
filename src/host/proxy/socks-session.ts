/** One client that speaks SOCKS 5, RFC 1928, from its greeting to the connection. Only CONNECT, and only for those who need not say who they are. */
import type { Socket } from 'node:net';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import type { SocksAddress, SocksReply, SocksRequest } from '../../wire/socks5.ts';
import { emitSocksMethod, emitSocksReply, parseSocksGreeting, parseSocksRequest } from '../../wire/socks5.ts';
import { joinStreams } from './joined-streams.ts';
import type { WayFailureReason, WayIn } from './way-in.ts';
import { WayFailure } from './way-in.ts';

const REPLIES: Readonly<Record<WayFailureReason, SocksReply>> = {
  'no-such-name': 'host-unreachable',
  unreachable: 'host-unreachable',
  refused: 'refused',
  timeout: 'ttl-expired',
};

export function serveSocks(client: Socket, way: WayIn): void {
  let heard: Buffer = Buffer.alloc(0);
  let hasGreeted = false;
  const hear = (chunk: Buffer): void => {
    heard = Buffer.concat([heard, chunk]);
    if (!hasGreeted && !greet()) return;
    const request = parseSocksRequest(heard, 0, heard.length);
    if (request === 'truncated') return;
    client.off('data', hear).pause();
    if (typeof request === 'string') refuse(client, request === 'bad-value' ? 'address-not-supported' : 'failure');
    else void open(client, way, request, heard.subarray(request.end));
  };
  const greet = (): boolean => {
    const greeting = parseSocksGreeting(heard, 0, heard.length);
    if (greeting === 'truncated') return false;
    if (typeof greeting === 'string') {
      client.destroy();
      return false;
    }
    hasGreeted = true;
    heard = heard.subarray(greeting.end);
    client.write(emitSocksMethod(greeting.offersOpen ? 'open' : 'none'));
    if (!greeting.offersOpen) client.off('data', hear).end();
    return greeting.offersOpen;
  };
  client.on('data', hear);
}

async function open(client: Socket, way: WayIn, request: SocksRequest, early: Buffer): Promise<void> {
  client.setTimeout(0);
  if (request.command !== 'connect') return refuse(client, 'command-not-supported');
  const host = hostOf(request.to);
  if (host === undefined) return refuse(client, 'address-not-supported');
  try {
    const far = await way.connect(host, request.port);
    if (early.length > 0) far.write(early);
    client.write(emitSocksReply('succeeded'));
    joinStreams(client, far);
  } catch (error) {
    if (!(error instanceof WayFailure)) throw error;
    refuse(client, REPLIES[error.reason]);
  }
}

function hostOf(to: SocksAddress): string | undefined {
  if (to.kind === 'ipv6') return undefined;
  return to.kind === 'name' ? to.name : formatIpv4(to.address);
}

function refuse(client: Socket, reply: SocksReply): void {
  client.end(emitSocksReply(reply));
}
