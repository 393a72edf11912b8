import { describe, expect, it } from 'vitest';
import type { Dhcp6Type } from '../../../src/wire/dhcpv6.ts';
import { IA_NA, IA_PD, IA_TA, linkLayerDuid, PREFERENCE, RAPID_COMMIT } from '../../../src/wire/dhcpv6-options.ts';
import { Dhcp6Bench, SERVER6 } from '../../support/dhcp6-peer.ts';
import { A, B, C, D, hex } from '../../support/frames.ts';
import { ip6 } from '../../support/ipv6-peer.ts';
import { settle } from '../../support/manual-scheduler.ts';
import { MemoryState } from '../../support/memory-files.ts';

const RAPID = { options: [{ code: RAPID_COMMIT, value: new Uint8Array(0) }] };

describe('an address', () => {
  it('is advertised, then leased, to the address that asked (18.3.1, 18.3.2)', () => {
    const bench = new Dhcp6Bench();
    expect(bench.ask('solicit')).toBe('advertise na 1 fd00::10/3600');
    expect(bench.listed()).toEqual(['fd00::10 offered']);
    bench.say('request');
    expect(bench.answer()).toMatchObject({
      to: '52:54:00:00:00:02 [fe80::5054:ff:fe00:2]:546',
      from: '[fe80::5054:ff:fe00:1]:547',
    });
    expect(bench.listed()).toEqual(['fd00::10 bound']);
  });

  it('has T1 and T2 at half and four fifths of its time (14.2), and nobody waits for a better one (18.2.1)', () => {
    const bench = new Dhcp6Bench();
    bench.say('solicit');
    const { options } = bench.answer().message;
    const association = options.find(({ code }) => code === IA_NA)!.value;
    expect(association.slice(4, 12)).toEqual(hex('00000708 00000b40'));
    expect(options.find(({ code }) => code === PREFERENCE)?.value).toEqual(Uint8Array.of(255));
  });

  it('is leased by one message to who asks for that (21.14)', () => {
    const bench = new Dhcp6Bench();
    bench.say('solicit', RAPID);
    const { message } = bench.answer();
    expect(message.type).toBe('reply');
    expect(message.options.some(({ code }) => code === RAPID_COMMIT)).toBe(true);
    expect(bench.listed()).toEqual(['fd00::10 bound']);
  });

  it('is the one that is asked for, where it is free', () => {
    const bench = new Dhcp6Bench();
    expect(bench.ask('solicit', { address: 'fd00::12' })).toBe('advertise na 1 fd00::12/3600');
    expect(bench.ask('solicit', { mac: C, address: 'fd00::12' })).toBe('advertise na 1 fd00::10/3600');
    expect(bench.ask('solicit', { mac: D, address: '2001:db8::1' })).toBe('advertise na 1 fd00::11/3600');
  });

  it('belongs to the card, whatever identifier its programs ask with', () => {
    const bench = new Dhcp6Bench();
    bench.lease(B, { clientId: linkLayerDuid(D) });
    expect(bench.lease(B, { clientId: hex('0004 00112233445566778899aabbccddeeff') })).toBe('reply na 1 fd00::10/3600');
    expect(bench.lease(C, { clientId: linkLayerDuid(D) })).toBe('reply na 1 fd00::11/3600');
  });

  it('is not to be had where all are leased, and not of another network', () => {
    const bench = new Dhcp6Bench();
    for (const mac of [B, C, D]) bench.lease(mac);
    const mac = 0x525400000005;
    expect(bench.ask('solicit', { mac })).toBe('advertise na 1 no-addrs-avail');
    expect(bench.ask('solicit', { mac, ...RAPID })).toBe('advertise na 1 no-addrs-avail');
    expect(bench.ask('request', { mac })).toBe('reply na 1 no-addrs-avail');
    expect(bench.ask('request', { mac, address: '2001:db8::1' })).toBe('reply na 1 not-on-link');
    expect(bench.counters.toRecord()).toEqual({ 'dhcp6-no-addrs-avail': 3, 'dhcp6-not-on-link': 1 });
  });

  it('is one for a card; there are no temporary ones and no prefixes', () => {
    const bench = new Dhcp6Bench();
    const associations = [IA_PD, IA_NA, IA_TA, IA_NA] as const;
    expect(bench.ask('solicit', { associations })).toBe(
      'advertise na 2 fd00::10/3600 pd 1 no-prefix-avail ta 3 no-addrs-avail na 4 no-addrs-avail',
    );
    expect(bench.ask('solicit', { associations: [IA_PD] })).toBe('advertise pd 1 no-prefix-avail');
  });

  it('is that of the reservation, also without a pool', () => {
    const bench = new Dhcp6Bench({ pool: undefined, reservations: [{ mac: B, address: ip6('fd00::99') }] });
    expect(bench.lease()).toBe('reply na 1 fd00::99/3600');
    expect(bench.ask('solicit', { mac: C })).toBe('advertise na 1 no-addrs-avail');
  });

  it("is never the server's own, nor a name server's, nor one that is left out", () => {
    const bench = new Dhcp6Bench({
      pool: { first: SERVER6.address, last: ip6('fd00::4') },
      dns: [ip6('fd00::2')],
      excluded: [ip6('fd00::3')],
    });
    expect(bench.lease()).toBe('reply na 1 fd00::4/3600');
  });

  it('comes from a pool of any size', () => {
    const bench = new Dhcp6Bench({ pool: { first: ip6('fd00::2'), last: ip6('fd00::ffff:ffff:ffff:ffff') } });
    expect(bench.lease()).toBe('reply na 1 fd00::2/3600');
  });
});

describe('a lease', () => {
  it('is renewed, and by Rebind too (18.3.4, 18.3.5)', () => {
    const bench = new Dhcp6Bench();
    bench.lease();
    bench.scheduler.advance(1_800_000);
    expect(bench.ask('renew', { address: 'fd00::10' })).toBe('reply na 1 fd00::10/3600');
    bench.scheduler.advance(1_801_000);
    expect(bench.listed()).toEqual(['fd00::10 bound']);
    expect(bench.ask('rebind', { address: 'fd00::10' })).toBe('reply na 1 fd00::10/3600');
  });

  it('that the server does not know goes on where the address is free', () => {
    expect(new Dhcp6Bench().ask('renew', { address: 'fd00::12' })).toBe('reply na 1 fd00::12/3600');
    expect(new Dhcp6Bench().ask('rebind', { address: 'fd00::12' })).toBe('reply na 1 fd00::12/3600');
  });

  it.each(['renew', 'rebind'] as const)('of an address that it cannot keep is another one then: %s', (type) => {
    const bench = new Dhcp6Bench();
    bench.lease(C);
    expect(bench.ask(type, { address: ['fd00::10', '2001:db8::1'] })).toBe(
      'reply na 1 fd00::11/3600 fd00::10/0 2001:db8::1/0',
    );
  });

  it('ends where there is nothing in its place', () => {
    const bench = new Dhcp6Bench();
    for (const mac of [C, D, A + 4]) bench.lease(mac);
    expect(bench.ask('renew', { address: 'fd00::10' })).toBe('reply na 1 fd00::10/0');
    expect(bench.ask('renew')).toBe('reply na 1 no-addrs-avail');
  });

  it('ends by itself', () => {
    const bench = new Dhcp6Bench();
    bench.lease();
    bench.scheduler.advance(3_601_000);
    expect(bench.listed()).toEqual(['fd00::10 expired']);
    expect([...bench.server.bound()]).toEqual([]);
  });

  it('is given back, and is remembered (18.3.7)', () => {
    const bench = new Dhcp6Bench();
    bench.lease();
    expect(bench.ask('release', { address: 'fd00::10' })).toBe('reply success');
    expect(bench.listed()).toEqual(['fd00::10 released']);
    expect(bench.lease(C)).toBe('reply na 1 fd00::11/3600');
    expect(bench.lease()).toBe('reply na 1 fd00::10/3600');
  });

  it('is declined, and nobody gets its address for ten minutes (18.3.8)', () => {
    const bench = new Dhcp6Bench();
    bench.lease();
    expect(bench.ask('decline', { address: 'fd00::10' })).toBe('reply success');
    expect(bench.listed()).toEqual(['fd00::10 declined']);
    expect(bench.ask('solicit', { address: 'fd00::10' })).toBe('advertise na 1 fd00::11/3600');
    bench.scheduler.advance(601_000);
    expect(bench.ask('solicit', { mac: C, address: 'fd00::10' })).toBe('advertise na 1 fd00::10/3600');
  });

  it.each(['release', 'decline'] as const)('of somebody else is not ended by %s', (type) => {
    const bench = new Dhcp6Bench();
    bench.lease(C);
    expect(bench.ask(type, { address: 'fd00::10' })).toBe('reply success na 1 no-binding');
    bench.lease();
    expect(bench.ask(type, { address: 'fd00::10' })).toBe('reply success na 1 no-binding');
    expect(bench.listed()).toEqual(['fd00::10 bound', 'fd00::11 bound']);
  });

  it('is confirmed where its addresses are of this network (18.3.3)', () => {
    const bench = new Dhcp6Bench();
    expect(bench.ask('confirm', { address: 'fd00::77' })).toBe('reply success');
    expect(bench.ask('confirm', { address: ['fd00::77', 'fd00:1::77'] })).toBe('reply not-on-link');
    expect(bench.ask('confirm')).toBe('silence');
  });

  it('that a change of the configuration forbids is another one when it is renewed', () => {
    const bench = new Dhcp6Bench();
    bench.lease();
    const pool = { first: ip6('fd00::20'), last: ip6('fd00::22') };
    bench.server.configure({
      prefix: { ...SERVER6, address: ip6('fd00::') },
      pool,
      leaseTime: 60,
      reservations: [],
      dns: [],
      search: [],
    });
    expect(bench.ask('renew', { address: 'fd00::10' })).toBe('reply na 1 fd00::20/60 fd00::10/0');
  });

  it('is on disk before its Reply leaves, and known after a restart', async () => {
    const state = new MemoryState();
    state.hold();
    const bench = new Dhcp6Bench({}, state);
    expect(bench.ask('solicit', RAPID)).toBe('silence');
    expect(bench.ask('solicit', RAPID)).toBe('silence');
    expect(bench.counters.get('dhcp6-busy')).toBe(1);
    state.letGo();
    await bench.server.settled();
    expect(bench.answers()).toHaveLength(1);

    const again = new Dhcp6Bench({}, state);
    await again.server.load();
    expect(again.listed()).toEqual(['fd00::10 bound']);
    expect(again.ask('solicit', { mac: C })).toBe('advertise na 1 fd00::11/3600');
    again.ask('release', { address: 'fd00::10' });
    await settle();
    expect(state.text).toContain('"address":"fd00::10","state":"released"');
  });
});

describe('a message', () => {
  it.each<{ what: string; type: Dhcp6Type; saying?: Parameters<Dhcp6Bench['say']>[1]; reason: string }>([
    { what: 'a Solicit of nobody', type: 'solicit', saying: { clientId: null }, reason: 'dhcp6-malformed' },
    {
      what: 'a Solicit of an empty name',
      type: 'solicit',
      saying: { clientId: hex('0001') },
      reason: 'dhcp6-malformed',
    },
    {
      what: 'a Solicit to one server',
      type: 'solicit',
      saying: { server: linkLayerDuid(A) },
      reason: 'dhcp6-malformed',
    },
    { what: 'a Rebind to one server', type: 'rebind', saying: { server: linkLayerDuid(A) }, reason: 'dhcp6-malformed' },
    { what: 'a Request to no server', type: 'request', saying: { server: null }, reason: 'dhcp6-malformed' },
    {
      what: 'a Request to another server',
      type: 'request',
      saying: { server: linkLayerDuid(C) },
      reason: 'dhcp6-other-server',
    },
    {
      what: 'an Information-request to another server',
      type: 'information-request',
      saying: { server: linkLayerDuid(C) },
      reason: 'dhcp6-other-server',
    },
    {
      what: 'an Information-request for an address',
      type: 'information-request',
      saying: { associations: [IA_NA] },
      reason: 'dhcp6-malformed',
    },
    { what: 'an Advertise', type: 'advertise', reason: 'dhcp6-not-a-request' },
    { what: 'a Reply', type: 'reply', reason: 'dhcp6-not-a-request' },
    { what: 'a Reconfigure', type: 'reconfigure', reason: 'dhcp6-not-a-request' },
    {
      what: 'a Solicit to the server alone',
      type: 'solicit',
      saying: { to: SERVER6.address },
      reason: 'dhcp6-unicast',
    },
    { what: 'a Confirm of nothing', type: 'confirm', reason: 'dhcp6-nothing-to-confirm' },
  ])('gets no answer and is counted: $what (16)', ({ type, saying, reason }) => {
    const bench = new Dhcp6Bench();
    expect(bench.ask(type, saying)).toBe('silence');
    expect(bench.counters.toRecord()).toEqual({ [reason]: 1 });
  });

  it.each(['request', 'renew', 'release', 'decline'] as const)(
    'to the server alone is told to go to all: %s (18.4.1)',
    (type) => {
      const bench = new Dhcp6Bench();
      expect(bench.ask(type, { to: SERVER6.address, address: 'fd00::10' })).toBe('reply use-multicast');
      expect(bench.listed()).toEqual([]);
    },
  );

  it.each([
    { what: 'of a relay', octets: '0c00', reason: 'dhcp6-relayed' },
    { what: 'of noise', octets: 'ffffffff', reason: 'dhcp6-malformed' },
    { what: 'of nothing', octets: '', reason: 'dhcp6-malformed' },
  ])('is counted: one $what', ({ octets, reason }) => {
    const bench = new Dhcp6Bench();
    bench.deliver(hex(octets));
    expect(bench.counters.toRecord()).toEqual({ [reason]: 1 });
  });

  it('is not heard after the end', () => {
    const bench = new Dhcp6Bench();
    bench.server.stop();
    expect(bench.ask('solicit')).toBe('silence');
    expect(bench.counters.toRecord()).toEqual({});
  });
});
