import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import type { ClientLease } from '../../src/station/dhcp-client.ts';
import { LeaseKeeper } from '../../src/station/lease-keeper.ts';
import { DHCP_CLIENT_PORT } from '../../src/wire/dhcp.ts';
import { ETHERTYPE_ARP } from '../../src/wire/ethernet.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { DhcpBench } from '../support/dhcp-peer.ts';
import { FakePort } from '../support/fake-port.ts';
import { B } from '../support/frames.ts';

function keeping(bench: DhcpBench) {
  const machine = new FakePort();
  const leases: (ClientLease | undefined)[] = [];
  const own = { name: 'exec-1', mac: B, mtu: 1500, scheduler: bench.scheduler, random: new SeededRandom(3) };
  const events = { bound: (lease: ClientLease) => leases.push(lease), lost: () => leases.push(undefined) };
  const keeper = new LeaseKeeper(bench.stack, machine, own, events);
  bench.stack.attach(keeper);
  keeper.start();
  const addresses = () => leases.map((lease) => lease && formatIpv4(lease.interface.address));
  return { machine, keeper, addresses };
}

it('has a lease for a machine that sees none of it', async () => {
  const bench = new DhcpBench();
  const { machine, addresses } = keeping(bench);
  await bench.scheduler.run(2000);
  expect(addresses()).toEqual(['10.0.2.15']);
  expect(machine.frames.filter((frame) => readUint16(frame, 36) === DHCP_CLIENT_PORT)).toEqual([]);
});

it('renews the lease in time, and shows the machine the answers of ARP that are its own as well', async () => {
  const bench = new DhcpBench();
  const { machine, addresses } = keeping(bench);
  await bench.scheduler.run(2000);
  await bench.scheduler.run(1_900_000, 10_000);
  expect(addresses()).toEqual(['10.0.2.15', '10.0.2.15']);
  expect(machine.frames.some((frame) => readUint16(frame, 12) === ETHERTYPE_ARP)).toBe(true);
});

it('gives the lease back', async () => {
  const bench = new DhcpBench();
  const { keeper, addresses } = keeping(bench);
  await bench.scheduler.run(2000);
  let isDone = false;
  keeper.release(() => {
    isDone = true;
  });
  await bench.scheduler.run(200);
  expect(isDone).toBe(true);
  expect(addresses()).toEqual(['10.0.2.15', undefined]);
  expect(bench.listed().join()).not.toContain('bound');
});
