import { describe, expect, it } from 'vitest';
import { OPTION_REQUEST } from '../../../src/wire/dhcpv6-options.ts';
import { Dhcp6Bench } from '../../support/dhcp6-peer.ts';
import { B, C, hex } from '../../support/frames.ts';
import { ip6 } from '../../support/ipv6-peer.ts';
import { packet } from '../../support/packets.ts';

const CONFIG = {
  dns: [ip6('fd00::1'), ip6('fd00::2')],
  domain: 'lab.internal',
  search: ['lab.internal', 'sky.test'],
  hostnames: new Map([[C, 'web']]),
  boot: { url: 'tftp://[fd00::1]/grubx64.efi', parameters: ['a', 'b'] },
};
const asking = (...codes: readonly number[]) => ({
  code: OPTION_REQUEST,
  value: Uint8Array.from(codes.flatMap((code) => [code >>> 8, code & 0xff])),
});
const FQDN = { code: 39, value: hex('00 03626f78') };

/** What is told beside who talks to whom, by code. */
function told(bench: Dhcp6Bench): Record<number, Uint8Array> {
  const { options } = bench.answer().message;
  return Object.fromEntries(options.filter(({ code }) => code > 14).map(({ code, value }) => [code, value]));
}

const DNS = hex('fd000000000000000000000000000001 fd000000000000000000000000000002');
const SEARCH = hex('036c616208696e7465726e616c00 03736b79047465737400');
const URL = new TextEncoder().encode('tftp://[fd00::1]/grubx64.efi');

describe('who asks for information', () => {
  it('hears name servers and search domains, also where it does not say what it wants', () => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.say('information-request');
    expect(told(bench)).toEqual({ 23: DNS, 24: SEARCH });
  });

  it('hears what it asks for', () => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.say('information-request', { options: [asking(59, 60, 99)] });
    expect(told(bench)).toEqual({ 59: URL, 60: hex('0001 61 0001 62') });
  });

  it('may be nobody (18.3.6)', () => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.say('information-request', { clientId: null });
    expect(bench.answer().message.options.map(({ code }) => code)).toEqual([2, 23, 24]);
  });

  it('hears nothing that there is not', () => {
    const bench = new Dhcp6Bench({ dns: [] });
    bench.say('information-request', { options: [asking(23, 24, 39, 59, 60)] });
    expect(told(bench)).toEqual({});
  });

  it('is dhclient, and UEFI for its boot file', () => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.deliver(packet('dhcp6-information-request-dhclient').slice(62));
    expect(told(bench)).toEqual({ 23: DNS, 24: SEARCH });
    bench.deliver(packet('dhcp6-solicit-uefi').slice(62));
    expect(told(bench)).toEqual({ 59: URL, 60: hex('0001 61 0001 62'), 23: DNS });
  });
});

describe('a name', () => {
  it.each([
    {
      what: 'that the client tells, in the domain',
      mac: B,
      options: [FQDN],
      name: '03 03626f78 036c616208696e7465726e616c00',
    },
    {
      what: 'of the configuration before it',
      mac: C,
      options: [FQDN],
      name: '03 03776562 036c616208696e7465726e616c00',
    },
    {
      what: 'of the configuration to who asks',
      mac: C,
      options: [asking(39)],
      name: '01 03776562 036c616208696e7465726e616c00',
    },
    { what: 'that is none', mac: B, options: [{ code: 39, value: hex('00 0120') }], name: undefined },
  ])('is told back: one $what', ({ mac, options, name }) => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.say('solicit', { mac, options });
    expect(told(bench)[39]).toEqual(name && hex(name));
  });

  it('of a lease is what the client calls itself', () => {
    const bench = new Dhcp6Bench(CONFIG);
    bench.lease(B, { options: [{ code: 39, value: hex('00 03426f78 03736b79 00') }] });
    expect(bench.server.leases()).toEqual([
      expect.objectContaining({ hostname: 'box', clientId: '00030001525400000002' }),
    ]);
    expect(bench.entries.map(({ message }) => message)).toEqual([
      '52:54:00:00:00:02 (box) is offered fd00::10',
      '52:54:00:00:00:02 (box) has fd00::10',
    ]);
  });
});

it('what does not fit into a packet is left out, the last first, and counted', () => {
  const bench = new Dhcp6Bench({ ...CONFIG, dns: Array.from({ length: 100 }, (_, i) => ip6(`fd00::${i}`)) });
  bench.say('information-request');
  expect(told(bench)).toEqual({ 24: SEARCH });
  expect(bench.counters.toRecord()).toEqual({ 'dhcp6-option-omitted': 1 });
});
