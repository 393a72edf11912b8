import type { Random } from '../../src/base/chance.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { Port, PortReceiver } from '../../src/link/port.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { TftpFetch } from '../../src/station/tftp-client.ts';
import { uint32 } from '../../src/wire/dhcp-options.ts';
import { queryOf } from './dns-peer.ts';
import { D } from './frames.ts';
import { GATEWAY, type GatewayWire, IMAGE, NAMES, refit, WORLD } from './gateway-wire.ts';
import { ip, pattern } from './stack-peer.ts';
import { Ear } from './tcp-link.ts';

export const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** Changed in a few places, perhaps cut or lengthened; mostly with lengths and checksums that fit again. */
export function mutated(frame: Uint8Array, random: Random): Uint8Array {
  const kept = random.next() < 0.3 ? 14 + below(random, frame.length - 13) : frame.length;
  const added = random.next() < 0.1 ? below(random, 200) : 0;
  const bytes = new Uint8Array(kept + added);
  bytes.set(frame.subarray(0, kept));
  for (let i = below(random, 4); i > 0; i--) {
    const at = 12 + below(random, Math.min(bytes.length - 12, 100));
    if (at < bytes.length) bytes[at] = random.next() < 0.3 ? 0xff : below(random, 256);
  }
  return random.next() < 0.8 ? refit(bytes) : bytes;
}

/** One of the seeds, changed in a few places and perhaps cut or lengthened; now and then nothing but noise. */
export function mutatedOctets(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.next() < 0.1) return Uint8Array.from({ length: below(random, 700) }, () => below(random, 256));
  const seed = seeds[below(random, seeds.length)]!;
  const bytes = seed.slice(0, random.next() < 0.3 ? below(random, seed.length + 1) : seed.length);
  for (let i = below(random, 8); i > 0 && bytes.length > 0; i--)
    bytes[below(random, bytes.length)] = below(random, 256);
  return random.next() < 0.1 ? Uint8Array.of(...bytes, ...pattern(below(random, 300))) : bytes;
}

/** The port of a machine on a cable that changes some of what the machine says. */
export function noisy(port: Port, random: Random, share: () => number): Port {
  return {
    queued: 0,
    push: (batch, first, end) => port.push(batch, first, end),
    detach: () => port.detach(),
    attach: (receiver: PortReceiver) =>
      port.attach({
        push: (batch, first, end) => {
          for (let i = first; i < end; i++) {
            const frame = sliceOf(batch, i);
            const said = random.next() < share() ? mutated(frame, random) : frame;
            receiver.push(batchOf([said]), 0, 1);
          }
        },
      }),
  };
}

/** What a machine that is new on the network gets done; each is as it should be where the gateway works. */
export async function converse(wire: GatewayWire): Promise<Record<string, unknown>> {
  const stack = wire.station(D, ip('10.0.2.200'));
  const result: Record<string, unknown> = {};
  stack.ping(GATEWAY, { timeout: 1000 }, ({ kind }) => {
    result['ping'] = kind;
  });
  await wire.pass(100);
  await talkTcp(wire, stack, result);
  await talkUdp(wire, stack, result);
  new TftpFetch(stack.udp, wire.scheduler, uint32(GATEWAY), 'boot.img', {}, (fetched) => {
    result['file'] = fetched.kind === 'done' && Buffer.compare(fetched.octets, IMAGE) === 0;
  });
  await wire.pass(2000);
  stack.detach();
  return result;
}

/** What `converse` says of a gateway that works. */
export const WELL = {
  ping: 'reply',
  tcp: 'hello',
  reply: 'world',
  ends: true,
  names: 1,
  udp: 'ping',
  answer: 3,
  file: true,
};

async function talkTcp(wire: GatewayWire, stack: Stack, result: Record<string, unknown>): Promise<void> {
  const ear = new Ear();
  const before = wire.net.streams.length;
  ear.connection = stack.tcp.connect(
    { address: uint32(ip('10.0.2.200')), port: 0 },
    { address: uint32(WORLD), port: 80 },
    ear,
  );
  await wire.pass(100);
  const host = wire.net.streams[before]!;
  host.open();
  await wire.pass(100);
  ear.connection.send(new TextEncoder().encode('hello'));
  await wire.pass(100);
  result['tcp'] = new TextDecoder().decode(host.written);
  host.feed('world');
  host.end();
  ear.connection.finish();
  await wire.pass(500);
  result['reply'] = new TextDecoder().decode(ear.bytes);
  result['ends'] = host.closedAs === 'finished' && ear.said.includes('ended');
}

async function talkUdp(wire: GatewayWire, stack: Stack, result: Record<string, unknown>): Promise<void> {
  let names = 0;
  const resolver = stack.udp.open(0, () => void names++);
  resolver.send({ address: uint32(NAMES), port: 53 }, queryOf('gateway.lab.internal', 'A', { id: 7 }));
  let octets = 0;
  const socket = stack.udp.open(0, ({ payload }) => {
    octets += payload.length;
  });
  const before = wire.net.sockets.length;
  socket.send({ address: uint32(WORLD), port: 9 }, new TextEncoder().encode('ping'));
  await wire.pass(100);
  const host = wire.net.sockets[before]!;
  result['udp'] = new TextDecoder().decode(host.sent[0]?.bytes);
  host.feed(pattern(3), { address: uint32(WORLD), port: 9 });
  await wire.pass(100);
  result['names'] = names;
  result['answer'] = octets;
}
