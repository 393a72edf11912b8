import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import type { FrameSink } from '../../src/link/frame-batch.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { Port } from '../../src/link/port.ts';
import { Station } from '../../src/station/station.ts';
import { parseArp } from '../../src/wire/arp.ts';
import { ETHERTYPE_ARP } from '../../src/wire/ethernet.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { DhcpBench } from '../support/dhcp-peer.ts';
import { B, D } from '../support/frames.ts';
import { joinPorts } from '../support/join-ports.ts';
import { settle } from '../support/manual-scheduler.ts';
import { arpFrame, ip, replyFrom } from '../support/stack-peer.ts';

function booting(bench: DhcpBench): { station: Station; booted: Promise<string | undefined> } {
  const station = new Station({
    name: 'web',
    mac: B,
    mtu: 1500,
    scheduler: bench.scheduler,
    random: new SeededRandom(3),
  });
  const booted = (): Promise<string | undefined> =>
    station.boot(60_000).then((lease) => lease && formatIpv4(lease.interface.address));
  return { station, booted: Promise.resolve().then(booted) };
}

describe('a machine that boots', () => {
  it('has an address, a router and a server', async () => {
    const bench = new DhcpBench();
    const { station, booted } = booting(bench);
    joinPorts(station.port, bench.stack);
    await bench.scheduler.run(2000);
    expect(await booted).toBe('10.0.2.15');
    expect(station.lease).toMatchObject({ router: ip('10.0.2.2'), server: ip('10.0.2.2'), leaseTime: 3600 });
  });

  it.each([3, 4, 5])('gets there when every %ith frame is lost', async (n) => {
    const bench = new DhcpBench();
    const { station, booted } = booting(bench);
    joinPorts(station.port, bench.stack, (frame) => frame % n === n - 1);
    await bench.scheduler.run(60_000, 50);
    expect(await booted).toBe('10.0.2.15');
  });

  it('gives up at its deadline when nobody answers', async () => {
    const bench = new DhcpBench();
    const { booted } = booting(bench);
    await bench.scheduler.run(61_000, 100);
    expect(await booted).toBeUndefined();
    expect(bench.scheduler.pending).toBe(0);
  });

  it('RFC 2131, 3.1: declines an address that somebody uses, and gets another ten seconds later', async () => {
    const bench = new DhcpBench();
    bench.lease();
    const { station, booted } = booting(bench);
    joinPorts(station.port, bench.stack);
    // The machine at 10.0.2.15 is heard by the station alone.
    const { port } = station;
    const answering: FrameSink = {
      push: (batch, first, end) => {
        for (let i = first; i < end; i++) if (isProbeFor('10.0.2.15', sliceOf(batch, i))) answer(port, '10.0.2.15');
        bench.stack.push(batch, first, end);
      },
    };
    port.attach(answering);
    await bench.scheduler.run(20_000, 50);
    expect(await booted).toBe('10.0.2.16');
    expect(bench.listed()).toContain('10.0.2.15 declined');
  });
});

function isProbeFor(address: string, frame: Uint8Array): boolean {
  const message = readUint16(frame, 12) === ETHERTYPE_ARP ? parseArp(frame, 14, frame.length) : undefined;
  return typeof message === 'object' && message.senderAddress === 0 && message.targetAddress === ip(address);
}

function answer(port: Port, address: string): void {
  port.push(batchOf([arpFrame({ ...replyFrom(D, ip(address)), targetMac: B, targetAddress: 0 }, B)]), 0, 1);
}

it('fetches nothing without a lease', async () => {
  const { station } = booting(new DhcpBench());
  await settle();
  expect(await station.fetch('boot')).toEqual({ kind: 'timeout' });
});
