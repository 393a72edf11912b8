import { describe, expect, it } from 'vitest';
import type { Dhcp6Message } from '../../src/wire/dhcpv6.ts';
import { emitDhcp6, isRelayedDhcp6, parseDhcp6 } from '../../src/wire/dhcpv6.ts';
import {
  addressList,
  answeredAssociation,
  associationsOf,
  CLIENT_FQDN,
  CLIENT_ID,
  clientFqdnOf,
  DNS_SERVERS,
  duidOf,
  IA_NA,
  IA_PD,
  IA_TA,
  linkLayerDuid,
  optionOf,
  parameterList,
  requestedOptionsOf,
  SERVER_ID,
  serverFqdn,
  statusOption,
} from '../../src/wire/dhcpv6-options.ts';
import { hex } from '../support/frames.ts';
import { ip6 } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

/** The message in a recorded frame. */
const recorded = (name: string): Uint8Array => packet(name).slice(62);

function parsed(bytes: Uint8Array): Dhcp6Message {
  const message = parseDhcp6(bytes, 0, bytes.length);
  if (typeof message === 'string') throw new Error(message);
  return message;
}

const option = (code: number, octets: string) => ({ code, value: hex(octets) });
const DUID = '000100013299246452540012 3456';

describe('a DHCPv6 message', () => {
  it('is read from dhclient: a Solicit with one association', () => {
    const { type, transactionId, options } = parsed(recorded('dhcp6-solicit-dhclient'));
    expect([type, transactionId]).toEqual(['solicit', 0xa6cf10]);
    expect(options.map(({ code }) => code)).toEqual([1, 6, 8, 3]);
    expect(duidOf(options, CLIENT_ID)).toEqual(hex(DUID));
    expect(requestedOptionsOf(options)).toEqual([23, 24]);
    expect(associationsOf(options, 8)).toEqual([{ code: IA_NA, iaid: 0x123456, addresses: [] }]);
  });

  it('is read from UEFI, which asks for a boot file', () => {
    const { options } = parsed(recorded('dhcp6-solicit-uefi'));
    expect(requestedOptionsOf(options)).toEqual([59, 60, 23, 16]);
    expect(associationsOf(options, 8)).toEqual([{ code: IA_NA, iaid: 0xb6725e77, addresses: [] }]);
  });

  it('is read from libslirp, whose Reply names no server', () => {
    const { type, options } = parsed(recorded('dhcp6-reply-libslirp'));
    expect(type).toBe('reply');
    expect(duidOf(options, SERVER_ID)).toBeUndefined();
    expect(optionOf(options, DNS_SERVERS)).toEqual(addressList([ip6('fec0::3')]));
  });

  it.each([
    'dhcp6-solicit-dhclient',
    'dhcp6-solicit-uefi',
    'dhcp6-information-request-dhclient',
    'dhcp6-reply-libslirp',
  ])('is written as it was: %s', (name) => {
    const bytes = recorded(name);
    const out = new Uint8Array(500);
    expect(out.slice(0, emitDhcp6(parsed(bytes), out, 0, out.length))).toEqual(bytes);
  });

  it('is refused at each length but its options ends', () => {
    const bytes = recorded('dhcp6-solicit-dhclient');
    const whole: number[] = [];
    for (let length = 0; length <= bytes.length; length++)
      if (typeof parseDhcp6(bytes, 0, length) !== 'string') whole.push(length);
    expect(whole).toEqual([4, 22, 30, 36, 52]);
  });

  it.each([
    { what: 'shorter than a header', octets: '010203', defect: 'truncated' },
    { what: 'of no type', octets: '00000001', defect: 'bad-value' },
    { what: 'of an unknown type', octets: '0e000001', defect: 'bad-value' },
    { what: 'with half an option header', octets: '01000001 0001', defect: 'truncated' },
    { what: 'with an option beyond its end', octets: '01000001 0001 0005 00000000', defect: 'bad-length' },
  ])('is refused: one $what', ({ octets, defect }) => {
    const bytes = hex(octets);
    expect(parseDhcp6(bytes, 0, bytes.length)).toBe(defect);
  });

  it.each([
    { octets: '0c00', isRelayed: true },
    { octets: '0d00', isRelayed: true },
    { octets: '0100', isRelayed: false },
    { octets: '', isRelayed: false },
  ])('of a relay is told: $octets', ({ octets, isRelayed }) => {
    expect(isRelayedDhcp6(hex(octets), 0, hex(octets).length)).toBe(isRelayed);
  });

  it('leaves out what does not fit, and says what', () => {
    const options = [option(1, '0001020304'), option(23, '00'.repeat(16)), option(24, '00')];
    const omitted: number[] = [];
    const out = new Uint8Array(100);
    const end = emitDhcp6({ type: 'reply', transactionId: 1, options }, out, 0, 20, omitted);
    expect(omitted).toEqual([23]);
    expect(out.slice(0, end)).toEqual(hex('07000001 0001 0005 0001020304 0018 0001 00'));
  });
});

describe('an association', () => {
  const ADDRESS = '0005 0018 fd000000000000000000000000000010 00000e10 00000e10';

  it('is read with its addresses', () => {
    expect(associationsOf([option(IA_NA, `00000007 00000000 00000000 ${ADDRESS} ${ADDRESS}`)], 8)).toEqual([
      { code: IA_NA, iaid: 7, addresses: [ip6('fd00::10'), ip6('fd00::10')] },
    ]);
    expect(associationsOf([option(IA_TA, `00000007 ${ADDRESS}`)], 8)).toEqual([
      { code: IA_TA, iaid: 7, addresses: [ip6('fd00::10')] },
    ]);
    expect(associationsOf([option(IA_PD, '00000007 00000000 00000000')], 8)).toEqual([
      { code: IA_PD, iaid: 7, addresses: [] },
    ]);
  });

  it.each([
    { what: 'shorter than its header', octets: '00000007 00000000 000000' },
    { what: 'with an option beyond its end', octets: '00000007 00000000 00000000 0005 0018 fd00' },
  ])('is absent: one $what', ({ octets }) => {
    expect(associationsOf([option(IA_NA, octets)], 8)).toEqual([]);
  });

  it('has no address that is cut', () => {
    const cut = '00000007 00000000 00000000 0005 0010 fd000000000000000000000000000010';
    expect(associationsOf([option(IA_NA, cut)], 8)).toEqual([{ code: IA_NA, iaid: 7, addresses: [] }]);
  });

  it('is written with times, addresses and status', () => {
    const answer = { code: IA_NA, iaid: 7, t1: 0x100, t2: 0x200 } as const;
    const addresses = [{ address: ip6('fd00::10'), lifetime: 3600 }];
    expect(answeredAssociation({ ...answer, addresses, status: undefined })).toEqual(
      option(IA_NA, `00000007 00000100 00000200 ${ADDRESS}`),
    );
    const status = statusOption('no-addrs-avail', 'no');
    expect(answeredAssociation({ ...answer, code: IA_TA, addresses: [], status })).toEqual(
      option(IA_TA, '00000007 000d 0004 0002 6e6f'),
    );
  });
});

describe('an option', () => {
  it('of a server is its DUID-LL', () => {
    expect(linkLayerDuid(0x5256_0000_0002)).toEqual(hex('0003 0001 525600000002'));
  });

  it.each(['', '0001', '00'.repeat(131)])('1 is absent where it is no DUID: %s', (octets) => {
    expect(duidOf([option(CLIENT_ID, octets)], CLIENT_ID)).toBeUndefined();
  });

  it('6 is absent where a code is cut', () => {
    expect(requestedOptionsOf([option(6, '001700')])).toBeUndefined();
  });

  it.each([
    { octets: '00 03626f78', read: { name: 'box', serverUpdates: false } },
    { octets: '01 03426f78 036c6162 00', read: { name: 'box.lab', serverUpdates: true } },
    { octets: '00', read: { name: '', serverUpdates: false } },
    { octets: '', read: undefined },
    { octets: '00 04626f78', read: undefined },
    { octets: '00 03626f78 c000', read: undefined },
    { octets: `00 ${`3f${'61'.repeat(63)}`.repeat(5)}`, read: undefined },
  ])('39 is read, whole or in part: $octets', ({ octets, read }) => {
    expect(clientFqdnOf([option(CLIENT_FQDN, octets)])).toEqual(read);
  });

  it('39 says that the server keeps the name', () => {
    expect(serverFqdn('box.lab', undefined)).toEqual(hex('01 03626f78 036c6162 00'));
    expect(serverFqdn('box', { name: 'box', serverUpdates: true })).toEqual(hex('01 03626f78 00'));
    expect(serverFqdn('box', { name: 'box', serverUpdates: false })).toEqual(hex('03 03626f78 00'));
  });

  it('60 has its parameters behind their lengths', () => {
    expect(parameterList(['a', 'bc'])).toEqual(hex('0001 61 0002 6263'));
  });
});
