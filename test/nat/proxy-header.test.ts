import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { proxyHeader } from '../../src/nat/proxy-header.ts';
import { hex } from '../support/frames.ts';
import { octets } from '../support/stack-peer.ts';

const CLIENT: Endpoint = { address: octets('198.51.100.22'), port: 35_646 };
const SERVER: Endpoint = { address: octets('10.0.2.15'), port: 80 };
const CLIENT_6: Endpoint = { address: hex('20010db8 00000000 00000000 00000001'), port: 4124 };
const MAPPED_CLIENT: Endpoint = { address: hex('00000000 00000000 0000ffff c6336416'), port: 35_646 };
const SIGNATURE = '0d0a0d0a 000d0a51 5549540a';

describe('a PROXY header of version 1', () => {
  it.each([
    [CLIENT, SERVER, 'PROXY TCP4 198.51.100.22 10.0.2.15 35646 80\r\n'],
    [MAPPED_CLIENT, SERVER, 'PROXY TCP4 198.51.100.22 10.0.2.15 35646 80\r\n'],
    [CLIENT_6, CLIENT_6, 'PROXY TCP6 2001:db8::1 2001:db8::1 4124 4124\r\n'],
    [CLIENT_6, SERVER, 'PROXY TCP6 2001:db8::1 ::ffff:a00:20f 4124 80\r\n'],
  ])('names both ends', (source, destination, text) => {
    expect(new TextDecoder().decode(proxyHeader(1, { source, destination }))).toBe(text);
  });

  it('says that it knows none', () => {
    expect(new TextDecoder().decode(proxyHeader(1, undefined))).toBe('PROXY UNKNOWN\r\n');
  });
});

describe('a PROXY header of version 2', () => {
  it.each([
    [CLIENT, SERVER, '21 11 000c  c6336416 0a00020f 8b3e 0050'],
    [MAPPED_CLIENT, SERVER, '21 11 000c  c6336416 0a00020f 8b3e 0050'],
    [CLIENT_6, SERVER, '21 21 0024  20010db8000000000000000000000001 00000000000000000000ffff0a00020f  101c 0050'],
  ])('has both ends in octets', (source, destination, octetsText) => {
    expect(proxyHeader(2, { source, destination })).toEqual(hex(`${SIGNATURE} ${octetsText}`));
  });

  it('has no addresses where there are none', () => {
    expect(proxyHeader(2, undefined)).toEqual(hex(`${SIGNATURE} 20 00 0000`));
  });
});
