import { describe, expect, it } from 'vitest';
import type { DhcpConfig } from '../../../src/service/dhcp/dhcp-config.ts';
import {
  BOOTFILE_NAME,
  BROADCAST_ADDRESS,
  CLASSLESS_ROUTES,
  classlessRoutesOf,
  DOMAIN_NAME,
  DOMAIN_NAME_SERVER,
  DOMAIN_SEARCH,
  domainSearchOf,
  HOST_NAME,
  INTERFACE_MTU,
  ipv4ListOf,
  ipv4Of,
  MAXIMUM_MESSAGE_SIZE,
  NTP_SERVERS,
  PARAMETER_REQUEST_LIST,
  ROUTER,
  SUBNET_MASK,
  TFTP_SERVER_NAME,
  text,
  textOf,
  uint16,
  uint16Of,
  VENDOR_CLASS,
} from '../../../src/wire/dhcp-options.ts';
import { formatIpv4 } from '../../../src/wire/ipv4-address.ts';
import type { Saying } from '../../support/dhcp-peer.ts';
import { DhcpBench } from '../../support/dhcp-peer.ts';
import { B } from '../../support/frames.ts';
import { ip } from '../../support/stack-peer.ts';

const FULL: Partial<DhcpConfig> = {
  dns: [ip('10.0.2.3'), ip('1.1.1.1')],
  domain: 'lab.internal',
  search: ['lab.internal', 'corp.internal'],
  ntp: [ip('10.0.2.4')],
  mtu: 9000,
  routes: [{ destination: { address: ip('10.9.0.0'), prefixLength: 16 }, gateway: ip('10.0.2.9') }],
  reservations: [{ mac: B, address: ip('10.0.2.80'), hostname: 'web' }],
  boot: { bootfile: 'boot.ipxe' },
};

const asking = (...codes: number[]) => [PARAMETER_REQUEST_LIST, Uint8Array.from(codes)] as const;

function offered(config: Partial<DhcpConfig>, options: NonNullable<Saying['options']> = []) {
  const bench = new DhcpBench(config);
  bench.say('discover', { options });
  bench.scheduler.advance(200);
  return { ...bench.answer(), bench };
}

it('a client gets what it asks for', () => {
  const { options } = offered(FULL, [asking(1, 3, 6, 12, 15, 26, 28, 42, 66, 67, 119)]).message;
  expect(formatIpv4(ipv4Of(options, SUBNET_MASK)!)).toBe('255.255.255.0');
  expect(ipv4ListOf(options, ROUTER).map(formatIpv4)).toEqual(['10.0.2.2']);
  expect(ipv4ListOf(options, DOMAIN_NAME_SERVER).map(formatIpv4)).toEqual(['10.0.2.3', '1.1.1.1']);
  expect(textOf(options, HOST_NAME)).toBe('web');
  expect(textOf(options, DOMAIN_NAME)).toBe('lab.internal');
  expect(uint16Of(options, INTERFACE_MTU)).toBe(9000);
  expect(formatIpv4(ipv4Of(options, BROADCAST_ADDRESS)!)).toBe('10.0.2.255');
  expect(ipv4ListOf(options, NTP_SERVERS).map(formatIpv4)).toEqual(['10.0.2.4']);
  expect(textOf(options, TFTP_SERVER_NAME)).toBe('10.0.2.2');
  expect(textOf(options, BOOTFILE_NAME)).toBe('boot.ipxe');
  expect(domainSearchOf(options)).toEqual(['lab.internal', 'corp.internal']);
});

it('a client does not get what it did not ask for', () => {
  const { options } = offered(FULL, [asking(6)]).message;
  expect([...options.keys()]).toEqual([53, 54, 51, 58, 59, 1, 3, 6]);
});

it('a client without option 55 gets the usual', () => {
  const { options } = offered(FULL).message;
  expect([...options.keys()]).toEqual([53, 54, 51, 58, 59, 1, 3, 6, 12, 15, 28]);
});

it('RFC 3442: the default route leads option 121', () => {
  const { options } = offered(FULL, [asking(CLASSLESS_ROUTES, ROUTER)]).message;
  expect(classlessRoutesOf(options)).toEqual([
    { destination: { address: 0, prefixLength: 0 }, gateway: ip('10.0.2.2') },
    ...FULL.routes!,
  ]);
});

it('no option 121 without routes', () => {
  const { options } = offered({ ...FULL, routes: [] }, [asking(CLASSLESS_ROUTES)]).message;
  expect(options.has(CLASSLESS_ROUTES)).toBe(false);
});

describe('boot', () => {
  it('siaddr and file are there for everybody', () => {
    const { message } = offered(FULL, [asking(1)]);
    expect(message).toMatchObject({ siaddr: ip('10.0.2.2'), file: 'boot.ipxe' });
    expect(message.options.has(BOOTFILE_NAME)).toBe(false);
  });

  it('PXE clients get 66 and 67 whatever they ask for (RFC 4578)', () => {
    const pxe = [VENDOR_CLASS, text('PXEClient:Arch:00007:UNDI:003016')] as const;
    const { options } = offered(FULL, [asking(1), pxe]).message;
    expect([textOf(options, TFTP_SERVER_NAME), textOf(options, BOOTFILE_NAME)]).toEqual(['10.0.2.2', 'boot.ipxe']);
  });

  it('another boot server is named', () => {
    const boot = { bootfile: 'x', server: ip('10.0.2.7'), serverName: 'boot.lab' };
    const { message } = offered({ ...FULL, boot }, [asking(66)]);
    expect(message.siaddr).toBe(ip('10.0.2.7'));
    expect(textOf(message.options, TFTP_SERVER_NAME)).toBe('boot.lab');
  });

  it('a file name too long for its field is in option 67', () => {
    const bootfile = `http://10.0.2.2/${'a'.repeat(150)}`;
    const { message } = offered({ ...FULL, boot: { bootfile } }, [asking(1)]);
    expect(message.file).toBe('');
    expect(textOf(message.options, BOOTFILE_NAME)).toBe(bootfile);
  });
});

describe('option 57, the largest message', () => {
  const search = Array.from({ length: 20 }, (_, i) => `department-${i}-of-the-company.example${i}.com`);
  const everything = asking(1, 3, 6, 12, 15, 26, 28, 42, 66, 67, 119);
  const taking = (octets: number) => [MAXIMUM_MESSAGE_SIZE, uint16(octets)] as const;

  it('is respected: the least important option is left out, which is counted', () => {
    const { octets, message, bench } = offered({ ...FULL, search }, [everything, taking(576)]);
    expect(octets).toBeLessThanOrEqual(576 - 28);
    expect(message.options.has(DOMAIN_SEARCH)).toBe(false);
    expect(message.options.has(NTP_SERVERS)).toBe(true);
    expect(bench.counters.get('dhcp-option-omitted')).toBe(1);
  });

  it('is used', () => {
    const { octets, message } = offered({ ...FULL, search }, [everything, taking(1472)]);
    expect(octets).toBeGreaterThan(576 - 28);
    expect(domainSearchOf(message.options)).toEqual(search);
  });

  it('is 576 when the client says less or nothing', () => {
    expect(offered({ ...FULL, search }, [everything, taking(100)]).octets).toBeLessThanOrEqual(576 - 28);
    expect(offered({ ...FULL, search }, [everything]).octets).toBeLessThanOrEqual(576 - 28);
  });

  it('never leads to a fragmented packet', () => {
    const names = Array.from({ length: 60 }, (_, i) => search.map((name) => `${i}.${name}`)).flat();
    expect(offered({ ...FULL, search: names }, [everything, taking(65_535)]).octets).toBeLessThanOrEqual(1500 - 28);
  });
});
