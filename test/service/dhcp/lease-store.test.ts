import { expect, it } from 'vitest';
import { DhcpBench } from '../../support/dhcp-peer.ts';
import { B, C, D } from '../../support/frames.ts';
import { settle } from '../../support/manual-scheduler.ts';
import { MemoryState } from '../../support/memory-files.ts';

const OURS = '10.0.2.2';

it('the lease is on disk before its ACK leaves', async () => {
  const state = new MemoryState();
  const bench = new DhcpBench({}, state);
  bench.ask('discover');
  state.hold();
  bench.say('request', { requested: '10.0.2.15', server: OURS });
  await settle();
  expect(bench.answers()).toEqual([]);

  state.letGo();
  await settle();
  expect(state.text).toContain('10.0.2.15');
  expect(bench.answer().type).toBe('ack');
});

it('clients that come during a save share the next one', async () => {
  const state = new MemoryState();
  const bench = new DhcpBench({}, state);
  for (const mac of [B, C, D]) bench.ask('discover', { mac });
  state.hold();
  for (const [i, mac] of [B, C, D].entries())
    bench.say('request', { mac, requested: `10.0.2.${15 + i}`, server: OURS });
  state.letGo();
  await settle();
  expect(bench.answers()).toHaveLength(3);
  expect(state.saves).toBe(2);
  expect(state.text).toContain('10.0.2.17');
});

it('a REQUEST that is repeated during the save gets one ACK', async () => {
  const state = new MemoryState();
  const bench = new DhcpBench({}, state);
  bench.ask('discover');
  state.hold();
  bench.say('request', { requested: '10.0.2.15', server: OURS });
  bench.say('request', { requested: '10.0.2.15', server: OURS });
  state.letGo();
  await settle();
  expect(bench.answers()).toHaveLength(1);
});

it('a disk that fails is told and counted, and the client gets its lease', async () => {
  const state = new MemoryState();
  const bench = new DhcpBench({}, state);
  state.isFailing = true;
  bench.lease();
  await settle();
  expect(bench.answer().type).toBe('ack');
  expect(bench.counters.get('lease-not-saved')).toBe(1);
  expect(bench.entries.map(({ event }) => event)).toContain('lease-not-saved');
});

it('after a restart a client is answered at once, with the same address', async () => {
  const state = new MemoryState();
  const before = new DhcpBench({}, state);
  before.lease(C);
  before.lease(B);
  await settle();

  const after = new DhcpBench({}, state);
  await after.server.load();
  after.say('request', { requested: '10.0.2.16' });
  await settle();
  expect(after.answer().type).toBe('ack');
  expect(after.probed).toEqual([]);
  expect(after.listed()).toEqual(['10.0.2.15 bound', '10.0.2.16 bound']);
});

it('a document that is none of ours is kept aside, and the server starts empty', async () => {
  const state = new MemoryState('not ours');
  const bench = new DhcpBench({}, state);
  await bench.server.load();
  expect(state.asides).toBe(1);
  expect(bench.entries.map(({ event }) => event)).toEqual(['leases-unreadable']);
  expect(bench.ask('discover')).toBe('offer 10.0.2.15');
});

it('a lease that ended is listed as expired', async () => {
  const bench = new DhcpBench();
  bench.lease();
  bench.scheduler.advance(3_600_000);
  expect(bench.listed()).toEqual(['10.0.2.15 expired']);
});
