import { describe, expect, it } from 'vitest';
import { LEARNT_LIMIT, LEARNT_PER_CARD, LearntAddresses } from '../../src/gateway/learnt-addresses.ts';
import { formatIpv6, parseIpv6Interface } from '../../src/wire/ipv6-text.ts';
import { A, B } from '../support/frames.ts';
import { ip6 } from '../support/ipv6-peer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

const HOUR = 3_600_000;

function bench() {
  const scheduler = new ManualScheduler();
  const learnt = new LearntAddresses(parseIpv6Interface('fd00::1/64')!, scheduler);
  const all = () => [...learnt.all()].map(({ mac, address }) => [mac, formatIpv6(address)]);
  return { scheduler, learnt, all };
}

describe('addresses that machines made themselves', () => {
  it('are whose they are said to be last, the latest first', () => {
    const { learnt, all } = bench();
    learnt.learn(ip6('fd00::a'), A);
    learnt.learn(ip6('fd00::b'), A);
    learnt.learn(ip6('fd00::a'), B);
    expect(all()).toEqual([
      [B, 'fd00::a'],
      [A, 'fd00::b'],
    ]);
  });

  it('are of the network, and not the gateway’s', () => {
    const { learnt, all } = bench();
    for (const address of ['fd00::1', 'fe80::9', 'fd00:0:0:1::9']) learnt.learn(ip6(address), A);
    expect(all()).toEqual([]);
  });

  it('are forgotten when nobody speaks of them for four hours', () => {
    const { scheduler, learnt, all } = bench();
    learnt.learn(ip6('fd00::a'), A);
    scheduler.advance(3 * HOUR);
    learnt.learn(ip6('fd00::a'), A);
    scheduler.advance(3 * HOUR);
    expect(all()).toHaveLength(1);
    scheduler.advance(HOUR);
    expect(all()).toEqual([]);
  });

  it('are a few of each card, and not without limit in all', () => {
    const { learnt, all } = bench();
    for (let i = 0; i < 20; i++) learnt.learn(ip6(`fd00::${(0x100 + i).toString(16)}`), A);
    expect(all()).toHaveLength(LEARNT_PER_CARD);
    for (let i = 0; i < LEARNT_LIMIT + 50; i++) learnt.learn(ip6(`fd00::1:${i.toString(16)}`), 0x0200_0000_0000 + i);
    expect(all()).toHaveLength(LEARNT_LIMIT);
  });
});
