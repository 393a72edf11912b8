/**
 * Run in a network namespace: asks the host's network what the words say and prints one line of JSON for each event, until it has
 * seen as many as there are words.
 *
 *     udp,ADDR,PORT,TTL,SIZE[,df]   echo,ADDR,TTL   echo-raw,ADDR,TTL   echo-command,ADDR,TTL
 */
import type { HostDatagramSocket, HostEcho, HostEchoEvents, HostIcmpError } from '../../../src/base/host-net.ts';
import { addressOctets } from '../../../src/host/address-text.ts';
import { KernelEcho } from '../../../src/host/kernel-echo.ts';
import { NodeHostNet } from '../../../src/host/node-host-net.ts';
import { findPing, PingCommandEcho } from '../../../src/host/ping-command.ts';
import { loadSystemCalls } from '../../../src/host/system-calls.ts';
import { formatAddress } from '../../../src/wire/endpoint-text.ts';

const words = process.argv.slice(2);
const net = new NodeHostNet();
const { abilities } = net;
const system = loadSystemCalls()!;
const lines: unknown[] = [];
const open: (HostDatagramSocket | HostEcho)[] = [];

function tell(line: unknown): void {
  lines.push(line);
  if (lines.length < words.length) return;
  for (const each of open) each.close();
  process.stdout.write(JSON.stringify({ abilities, lines }));
}

function errorLine(word: string, error: HostIcmpError, sequence?: number): unknown {
  const { type, code, mtu } = error;
  const reporter = error.reporter === undefined ? undefined : formatAddress(error.reporter);
  const to = `${formatAddress(error.to.address)} ${error.to.port}`;
  return { word, type, code, mtu, reporter, to, quoted: error.quote.length, sequence };
}

function echoEvents(word: string): HostEchoEvents {
  return {
    replied: (from, sequence, payload, ttl) =>
      tell({ word, from: formatAddress(from), sequence, payload: new TextDecoder().decode(payload), ttl }),
    refused: (sequence, error) => tell(errorLine(word, error, sequence)),
  };
}

function echoOf(kind: string, family: 4 | 6, word: string): HostEcho {
  if (kind === 'echo-raw') return new KernelEcho(system, 'raw', family, echoEvents(word));
  if (kind === 'echo-command') return new PingCommandEcho(findPing()!, family, echoEvents(word));
  return net.echo(family, echoEvents(word));
}

for (const [i, word] of words.entries()) {
  const [kind, address, ...rest] = word.split(',');
  const to = addressOctets(address!)!;
  const family = to.length === 4 ? 4 : 6;
  if (kind === 'udp') {
    const [port, ttl, size, df] = rest;
    const socket = net.socket(family, {
      received: (bytes) => tell({ word, received: bytes.length }),
      refused: (error) => tell(errorLine(word, error)),
    });
    open.push(socket);
    const options = { ttl: Number(ttl), dontFragment: df !== undefined };
    socket.send(new Uint8Array(Number(size)), { address: to, port: Number(port) }, options);
  } else {
    const echo = echoOf(kind!, family, word);
    open.push(echo);
    echo.send(to, 1000 + i, new TextEncoder().encode('sixteen octets..'), Number(rest[0]));
  }
}
