/**
 * What the gateway's own part of UDP costs: microseconds per datagram between a batch of frames and a host socket that does nothing.
 *
 *     npx tsx bench/udp-nat.ts
 */
import type { FrameBatch } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { datagramFrame, endpoint } from '../test/support/nat-wire.ts';
import { pattern } from '../test/support/stack-peer.ts';
import { UdpGateway } from './udp-gateway.ts';

const ROUNDS = 5;
const DATAGRAMS = 640_000;
const BATCH = 64;
const PEERS = ['192.0.2.7', '192.0.2.8'];

/** The best of some rounds: the others were disturbed. */
function best(work: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return ((performance.now() - start) * 1000) / DATAGRAMS;
  });
  return Math.min(...rounds);
}

function fromGuest(gateway: UdpGateway, length: number, peers: number): number {
  const payload = pattern(length);
  const frames = Array.from({ length: BATCH }, (_, i) => datagramFrame(PEERS[i % peers]!, 53, { payload }));
  const batch: FrameBatch = batchOf(frames);
  return best(() => {
    for (let i = 0; i < DATAGRAMS / BATCH; i++) gateway.stack.push(batch, 0, BATCH);
  });
}

function toGuest(gateway: UdpGateway, length: number): number {
  const payload = pattern(length);
  const from = endpoint('192.0.2.7', 53);
  return best(() => {
    for (let i = 0; i < DATAGRAMS; i++) gateway.sockets[0]!.received(payload, from);
  });
}

const gateway = new UdpGateway();
for (const length of [40, 1400]) {
  console.log(`from a guest, ${length} octets, one peer:    ${fromGuest(gateway, length, 1).toFixed(2)} us`);
  console.log(`from a guest, ${length} octets, two peers:   ${fromGuest(gateway, length, 2).toFixed(2)} us`);
  console.log(`to a guest, ${length} octets:                ${toGuest(gateway, length).toFixed(2)} us`);
}
if (gateway.sent === 0 || gateway.received === 0) throw new Error('nothing went through');
