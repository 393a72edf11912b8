import { describe, expect, it } from 'vitest';
import { batchOf } from '../../../src/link/frame-batch.ts';
import { parseDhcp } from '../../../src/wire/dhcp.ts';
import {
  CLIENT_IDENTIFIER,
  LEASE_TIME,
  MESSAGE_TYPE,
  PARAMETER_REQUEST_LIST,
  REBINDING_TIME,
  RENEWAL_TIME,
  uint32,
  uint32Of,
} from '../../../src/wire/dhcp-options.ts';
import { DhcpBench, POOL } from '../../support/dhcp-peer.ts';
import { A, B, C, D, hex } from '../../support/frames.ts';
import { packet } from '../../support/packets.ts';
import { arpFrame, ip, replyFrom } from '../../support/stack-peer.ts';

const OURS = '10.0.2.2';
const OTHER = '10.0.2.3';
const E = 0x525400000005;

describe('RFC 2131, 4.3.1: DISCOVER', () => {
  it('is offered an address of the pool, and has it after the REQUEST', () => {
    const bench = new DhcpBench();
    expect(bench.ask('discover')).toBe('offer 10.0.2.15');
    expect(bench.listed()).toEqual(['10.0.2.15 offered']);
    expect(bench.ask('request', { requested: '10.0.2.15', server: OURS })).toBe('ack 10.0.2.15');
    expect(bench.listed()).toEqual(['10.0.2.15 bound']);
  });

  it('is answered after two ARP probes of 100 ms, RFC 5227', () => {
    const bench = new DhcpBench();
    bench.say('discover');
    bench.scheduler.advance(199);
    expect(bench.answers()).toEqual([]);
    bench.scheduler.advance(1);
    expect(bench.answer().type).toBe('offer');
    expect(bench.probed).toEqual(['10.0.2.15', '10.0.2.15']);
  });

  it('is answered at once when the client is on record', () => {
    const bench = new DhcpBench();
    bench.lease();
    bench.say('discover');
    expect(bench.answer().message.yiaddr).toBe(ip('10.0.2.15'));
  });

  it('skips an address that somebody uses without a lease', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.15'), D);
    bench.say('discover');
    bench.scheduler.advance(200);
    expect(bench.answer().message.yiaddr).toBe(ip('10.0.2.16'));
    expect(bench.listed()).toContain('10.0.2.15 declined');
    expect(bench.counters.get('dhcp-address-in-use')).toBe(1);
  });

  it('finds its own address in use by itself and gets it', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.15'), B);
    expect(bench.ask('discover')).toBe('offer 10.0.2.15');
  });

  it('gives an address that ARP remembers to be another station’s, where nobody answers the probe any more', () => {
    const bench = new DhcpBench();
    bench.stack.ping(ip('10.0.2.15'), { timeout: 1 }, () => undefined);
    bench.stack.push(batchOf([arpFrame(replyFrom(D, ip('10.0.2.15')))]), 0, 1);
    bench.scheduler.advance(30 * 24 * 3600 * 1000);
    expect(bench.ask('discover')).toBe('offer 10.0.2.15');
  });

  it('where one station answers for all addresses comes to an end', () => {
    const bench = new DhcpBench({ last: ip('10.0.2.200') });
    for (let i = 15; i <= 200; i++) bench.squatters.set(ip(`10.0.2.${i}`), D);
    bench.say('discover');
    bench.scheduler.advance(10_000);
    expect(new Set(bench.probed).size).toBe(5);
    expect(bench.counters.get('dhcp-conflicts')).toBe(1);
  });

  it('whose probe another client’s request overtakes does not get that address as well', () => {
    const bench = new DhcpBench({ last: ip('10.0.2.16') });
    bench.ask('discover', { mac: C });
    bench.ask('request', { mac: C, requested: '10.0.2.15', server: '10.0.2.2' });
    bench.ask('discover', { mac: D });
    bench.ask('request', { mac: D, requested: '10.0.2.16', server: '10.0.2.2' });
    bench.scheduler.advance(3_700_000);
    bench.say('discover', { mac: B });
    bench.say('request', { mac: C, requested: '10.0.2.15' });
    bench.scheduler.advance(1000);
    const given = bench.answers().map(({ type, message }) => [type, message.chaddr, message.yiaddr]);
    expect(given).toContainEqual(['ack', C, ip('10.0.2.15')]);
    expect(given).not.toContainEqual(['offer', B, ip('10.0.2.15')]);
  });

  it('of a card whose reserved address is also a router’s or a name server’s gets it', () => {
    const bench = new DhcpBench({
      reservations: [{ mac: B, address: ip('10.0.2.16') }],
      routers: [ip('10.0.2.16')],
      dns: [ip('10.0.2.16')],
    });
    expect(bench.ask('discover', { mac: B })).toBe('offer 10.0.2.16');
    expect(bench.ask('discover', { mac: C })).toBe('offer 10.0.2.15');
  });

  it('does not wait for the calendar: one that was a year ahead holds no offer for a year', () => {
    const bench = new DhcpBench({ last: ip('10.0.2.15') });
    bench.ask('discover', { mac: B });
    bench.scheduler.nanoseconds = () => 0n; // stepped back to 1970
    bench.scheduler.advance(61_000);
    expect(bench.ask('discover', { mac: C })).toBe('offer 10.0.2.15');
  });

  it('that is repeated during the probe gets one offer', () => {
    const bench = new DhcpBench();
    bench.say('discover');
    bench.scheduler.advance(150);
    expect(bench.ask('discover')).toBe('offer 10.0.2.15');
  });

  it('of two clients at a time are probed at different addresses', () => {
    const bench = new DhcpBench();
    bench.say('discover', { mac: B });
    bench.say('discover', { mac: C });
    bench.scheduler.advance(200);
    expect(bench.answers().map(({ message }) => message.yiaddr)).toEqual([ip('10.0.2.15'), ip('10.0.2.16')]);
  });

  it('finds the pool exhausted, which is counted', () => {
    const bench = new DhcpBench();
    for (const mac of [B, C, D]) bench.lease(mac);
    expect(bench.ask('discover', { mac: E })).toBe('silence');
    expect(bench.counters.get('dhcp-pool-exhausted')).toBe(1);
  });
});

describe('RFC 2131, 4.3.2: REQUEST', () => {
  it('that names another server frees the offer', () => {
    const bench = new DhcpBench();
    bench.ask('discover');
    expect(bench.ask('request', { requested: '10.0.2.99', server: OTHER })).toBe('silence');
    expect(bench.listed()).toEqual([]);
    expect(bench.counters.get('dhcp-other-server')).toBe(1);
  });

  it('SELECTING: an address that was not offered is refused', () => {
    const bench = new DhcpBench();
    bench.ask('discover');
    expect(bench.ask('request', { requested: '10.0.2.16', server: OURS })).toBe('nak 0.0.0.0');
  });

  it('INIT-REBOOT: the client’s address is confirmed', () => {
    const bench = new DhcpBench();
    bench.lease();
    expect(bench.ask('request', { requested: '10.0.2.15' })).toBe('ack 10.0.2.15');
  });

  it('INIT-REBOOT: an address of another network is refused by broadcast', () => {
    const bench = new DhcpBench();
    bench.say('request', { requested: '192.168.1.7' });
    expect(bench.answer()).toMatchObject({ type: 'nak', to: 'ff:ff:ff:ff:ff:ff 255.255.255.255:68' });
  });

  it('INIT-REBOOT: an address that is not the one on record is refused', () => {
    const bench = new DhcpBench();
    bench.lease();
    expect(bench.ask('request', { requested: '10.0.2.16' })).toBe('nak 0.0.0.0');
  });

  it('INIT-REBOOT: silence for an unknown client whose address is another’s', () => {
    const bench = new DhcpBench();
    bench.lease(C);
    expect(bench.ask('request', { requested: '10.0.2.15' })).toBe('silence');
    expect(bench.counters.get('dhcp-unknown-client')).toBe(1);
  });

  it('INIT-REBOOT: a client whose record was lost keeps its address when nobody else uses it', () => {
    const bench = new DhcpBench();
    expect(bench.ask('request', { requested: '10.0.2.16' })).toBe('ack 10.0.2.16');
    expect(bench.probed).toEqual(['10.0.2.16', '10.0.2.16']);
  });

  it('INIT-REBOOT: a client whose record was lost does not take an address that is in use', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.16'), D);
    expect(bench.ask('request', { requested: '10.0.2.16' })).toBe('silence');
  });

  it.each(['10.0.2.2', '10.0.2.0', '10.0.2.255', '10.0.2.99'])('nobody gets %s', (requested) => {
    const bench = new DhcpBench({ first: ip('10.0.2.0'), last: ip('10.0.2.16') });
    bench.stack.configure({ interface: { address: ip('10.0.2.2'), prefixLength: 24 } });
    expect(bench.ask('request', { requested })).toBe('silence');
  });

  it('RENEWING: the lease is extended, to ciaddr', () => {
    const bench = new DhcpBench();
    bench.lease();
    bench.squatters.set(ip('10.0.2.15'), B);
    bench.scheduler.advance(1_800_000);
    bench.say('request', { ciaddr: '10.0.2.15' });
    expect(bench.answer()).toMatchObject({ type: 'ack', to: '52:54:00:00:00:02 10.0.2.15:68' });
    expect(bench.server.leases()[0]!.expires).toBe(bench.now + 3600);
  });

  it('RENEWING: an address that has become another client’s is refused', () => {
    const bench = new DhcpBench();
    bench.lease(C);
    expect(bench.ask('request', { ciaddr: '10.0.2.15' })).toBe('nak 0.0.0.0');
  });

  it('REBINDING: a client whose record was lost keeps its address', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.17'), B);
    expect(bench.ask('request', { ciaddr: '10.0.2.17' })).toBe('ack 10.0.2.17');
  });
});

describe('RFC 2131, 4.3.3: DECLINE', () => {
  it('keeps the address from everybody for ten minutes', () => {
    const bench = new DhcpBench({ last: POOL.first });
    bench.lease();
    bench.say('decline', { requested: '10.0.2.15', server: OURS });
    expect(bench.listed()).toEqual(['10.0.2.15 declined']);
    expect(bench.ask('discover')).toBe('silence');
    bench.scheduler.advance(600_000);
    expect(bench.ask('discover')).toBe('offer 10.0.2.15');
  });

  it('of an address that the client does not have changes nothing', () => {
    const bench = new DhcpBench();
    bench.lease(C);
    bench.say('decline', { requested: '10.0.2.15', server: OURS });
    expect(bench.listed()).toEqual(['10.0.2.15 bound']);
    expect(bench.counters.get('dhcp-unknown-lease')).toBe(1);
  });
});

describe('RFC 2131, 4.3.4: RELEASE', () => {
  it('frees the address and remembers whose it was', () => {
    const bench = new DhcpBench();
    bench.lease();
    bench.say('release', { ciaddr: '10.0.2.15', server: OURS });
    expect(bench.answers()).toEqual([]);
    expect(bench.listed()).toEqual(['10.0.2.15 released']);
    expect(bench.lease(C)).toBe('ack 10.0.2.16');
    expect(bench.lease(B)).toBe('ack 10.0.2.15');
  });

  it('of another’s address changes nothing', () => {
    const bench = new DhcpBench();
    bench.lease(C);
    bench.say('release', { ciaddr: '10.0.2.15', server: OURS });
    expect(bench.listed()).toEqual(['10.0.2.15 bound']);
  });

  it('as dhclient sends it', () => {
    const bench = new DhcpBench();
    bench.lease(0x525400123456);
    bench.deliver(packet('dhcp-release-dhclient').subarray(42), 0x525400123456, ip('10.0.2.15'));
    expect(bench.listed()).toEqual(['10.0.2.15 released']);
  });
});

describe('RFC 2131, 4.3.5: INFORM', () => {
  it('gets an ACK without an address and without lease times', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.99'), B);
    bench.say('inform', { ciaddr: '10.0.2.99' });
    const { type, message, to } = bench.answer();
    expect([type, message.yiaddr, message.ciaddr]).toEqual(['ack', 0, ip('10.0.2.99')]);
    expect(to).toBe('52:54:00:00:00:02 10.0.2.99:68');
    for (const code of [LEASE_TIME, RENEWAL_TIME, REBINDING_TIME]) expect(message.options.has(code)).toBe(false);
    expect(bench.listed()).toEqual([]);
  });

  it('from another network is not answered', () => {
    const bench = new DhcpBench();
    expect(bench.ask('inform', { ciaddr: '8.8.8.8' })).toBe('silence');
    expect(bench.counters.get('dhcp-off-link')).toBe(1);
  });
});

describe('RFC 2131, 4.1: where a reply goes', () => {
  it.each([
    ['to yiaddr and chaddr, without ARP', {}, '52:54:00:00:00:02 10.0.2.15:68'],
    ['to everybody, when the client wants that', { isBroadcast: true }, 'ff:ff:ff:ff:ff:ff 255.255.255.255:68'],
    ['to the relay', { giaddr: '10.0.2.200' }, '52:54:00:00:00:04 10.0.2.200:67'],
  ])('%s', (_where, saying, to) => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.200'), D);
    bench.say('discover', saying);
    bench.scheduler.advance(200);
    expect(bench.answer().to).toBe(to);
  });

  it('a relay broadcasts a NAK, 4.3.2', () => {
    const bench = new DhcpBench();
    bench.squatters.set(ip('10.0.2.200'), D);
    bench.say('request', { requested: '192.168.1.7', giaddr: '10.0.2.200' });
    expect(bench.answer()).toMatchObject({
      type: 'nak',
      message: { isBroadcast: true },
      to: '52:54:00:00:00:04 10.0.2.200:67',
    });
  });
});

describe('RFC 2131, 4.3.1: the lease time', () => {
  const asking = (seconds: number) => ({ options: [[LEASE_TIME, uint32(seconds)]] as const });

  it.each([
    ['as configured', {}, 3600],
    ['less when the client wants less', asking(600), 600],
    ['never more than configured', asking(86_400), 3600],
    ['not less than a minute', asking(0), 60],
  ])('is %s', (_what, saying, seconds) => {
    const bench = new DhcpBench();
    bench.say('discover', saying);
    bench.scheduler.advance(200);
    const { options } = bench.answer().message;
    expect(uint32Of(options, LEASE_TIME)).toBe(seconds);
    expect(uint32Of(options, RENEWAL_TIME)).toBe(seconds * 0.5);
    expect(uint32Of(options, REBINDING_TIME)).toBe(Math.floor(seconds * 0.875));
  });
});

describe('what is not answered', () => {
  it('a message that is no DHCP', () => {
    const bench = new DhcpBench();
    bench.deliver(hex('01 01 06 00'));
    expect(bench.counters.toRecord()).toEqual({ 'dhcp-malformed': 1 });
  });

  it('BOOTP without option 53', () => {
    const bench = new DhcpBench();
    bench.deliver(bootp(B));
    expect(bench.counters.toRecord()).toEqual({ 'dhcp-bootp': 1 });
  });

  it.each(['offer', 'ack', 'nak'] as const)('a request of type %s', (type) => {
    const bench = new DhcpBench();
    expect(bench.ask(type)).toBe('silence');
    expect(bench.counters.toRecord()).toEqual({ 'dhcp-malformed': 1 });
  });

  it('a client whose address is a group', () => {
    const bench = new DhcpBench();
    bench.deliver(bootp(0x01005e000001));
    expect(bench.counters.toRecord()).toEqual({ 'dhcp-malformed': 1 });
  });

  it('a relay on another network', () => {
    const bench = new DhcpBench();
    expect(bench.ask('discover', { giaddr: '192.168.1.1' })).toBe('silence');
    expect(bench.counters.toRecord()).toEqual({ 'dhcp-foreign-relay': 1 });
  });
});

describe('real clients', () => {
  it.each(['dhcp-discover-ipxe', 'dhcp-discover-udhcpc', 'dhcp-discover-dhclient', 'dhcp-discover-dhcpcd'])(
    '%s is offered an address',
    (name) => {
      const bench = new DhcpBench();
      bench.deliver(packet(name).subarray(42), 0x525400123456);
      bench.scheduler.advance(200);
      expect(bench.answer()).toMatchObject({ type: 'offer', to: '52:54:00:12:34:56 10.0.2.15:68' });
    },
  );
});

it('RFC 6842: the client identifier comes back in OFFER, ACK and NAK', () => {
  const bench = new DhcpBench();
  const options = [
    [CLIENT_IDENTIFIER, hex('ff 00 01 02')],
    [PARAMETER_REQUEST_LIST, hex('01')],
  ] as const;
  const identifier = () => bench.answer().message.options.get(CLIENT_IDENTIFIER);
  bench.say('discover', { options });
  bench.scheduler.advance(200);
  expect(identifier()).toEqual(hex('ff 00 01 02'));
  bench.say('request', { options, requested: '10.0.2.15', server: OURS });
  expect(identifier()).toEqual(hex('ff 00 01 02'));
  bench.say('request', { options, requested: '10.0.3.15' });
  expect(identifier()).toEqual(hex('ff 00 01 02'));
});

it('each step is told with MAC, address and host name', () => {
  const bench = new DhcpBench();
  bench.lease(B, { options: [[12, new TextEncoder().encode('web')]] });
  const [, ack] = bench.entries;
  expect(bench.entries.map(({ event }) => event)).toEqual(['dhcp-offer', 'dhcp-ack']);
  expect(ack).toMatchObject({ mac: '52:54:00:00:00:02', address: '10.0.2.15', hostname: 'web' });
});

it('a host name that is none is not repeated', () => {
  const bench = new DhcpBench();
  bench.lease(B, { options: [[12, new TextEncoder().encode('\u001b[2Jweb')]] });
  expect(JSON.stringify(bench.entries)).not.toContain('u001b');
});

it('after stop nothing is answered, and the port is free again', () => {
  const bench = new DhcpBench();
  bench.say('discover');
  bench.server.stop();
  bench.scheduler.advance(1000);
  expect(bench.answers()).toEqual([]);
  bench.server.start(bench.stack);
  expect(bench.ask('discover', { mac: C })).toMatch(/^offer/);
});

function bootp(chaddr: number): Uint8Array {
  const bytes = packet('dhcp-discover-udhcpc').slice(42, 42 + 240);
  for (let i = 0; i < 6; i++) bytes[28 + i] = Math.floor(chaddr / 256 ** (5 - i)) & 0xff;
  const message = parseDhcp(bytes, 0, bytes.length);
  if (typeof message === 'string' || message.options.has(MESSAGE_TYPE) || message.chaddr === A)
    throw new Error('not BOOTP');
  return bytes;
}
