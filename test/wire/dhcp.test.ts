import { describe, expect, it } from 'vitest';
import type { DhcpMessage } from '../../src/wire/dhcp.ts';
import { DHCP_DEFAULT_LIMIT, emitDhcp, parseDhcp } from '../../src/wire/dhcp.ts';
import {
  BOOTFILE_NAME,
  CLASSLESS_ROUTES,
  CLIENT_IDENTIFIER,
  classlessRoutes,
  classlessRoutesOf,
  DOMAIN_SEARCH,
  domainSearch,
  domainSearchOf,
  HOST_NAME,
  ipv4Of,
  MAXIMUM_MESSAGE_SIZE,
  MESSAGE_TYPE,
  messageType,
  messageTypeOf,
  PARAMETER_REQUEST_LIST,
  REQUESTED_ADDRESS,
  SERVER_IDENTIFIER,
  text,
  textOf,
  uint16Of,
  VENDOR_CLASS,
} from '../../src/wire/dhcp-options.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import { formatMac } from '../../src/wire/mac.ts';
import { hex } from '../support/frames.ts';
import { packet } from '../support/packets.ts';
import { ip } from '../support/stack-peer.ts';

/** Ethernet, IPv4 and UDP headers. */
const PAYLOAD = 42;
const OPTIONS = 240;

function received(name: string): DhcpMessage {
  const frame = packet(name);
  const message = parseDhcp(frame, PAYLOAD, frame.length);
  if (typeof message === 'string') throw new Error(message);
  return message;
}

/** A BOOTREQUEST of 52:54:00:00:00:01 with these octets of options; `file` and `sname` hold octets too. */
function request(options: string, { file = '', sname = '' } = {}): Uint8Array {
  const tail = hex(options);
  const bytes = new Uint8Array(OPTIONS + tail.length);
  bytes.set(hex('01 01 06 00 12 34 56 78'));
  bytes.set(hex('52 54 00 00 00 01'), 28);
  bytes.set(hex(sname), 44);
  bytes.set(hex(file), 108);
  bytes.set(hex('63 82 53 63'), 236);
  bytes.set(tail, OPTIONS);
  return bytes;
}

const parsed = (bytes: Uint8Array) => parseDhcp(bytes, 0, bytes.length);

function optionsOf(bytes: Uint8Array): Record<number, number[]> {
  const message = parsed(bytes);
  if (typeof message === 'string') throw new Error(message);
  return Object.fromEntries([...message.options].map(([code, value]) => [code, [...value]]));
}

describe('reading what real clients send', () => {
  it('iPXE', () => {
    const message = received('dhcp-discover-ipxe');
    expect(message).toMatchObject({ op: 'request', xid: 0x902d7710, secs: 4, isBroadcast: false, ciaddr: 0 });
    expect(formatMac(message.chaddr)).toBe('52:54:00:12:34:56');
    expect(messageTypeOf(message.options)).toBe('discover');
    expect(uint16Of(message.options, MAXIMUM_MESSAGE_SIZE)).toBe(1472);
    expect(textOf(message.options, VENDOR_CLASS)).toBe('PXEClient:Arch:00000:UNDI:002001');
    expect([...message.options.get(PARAMETER_REQUEST_LIST)!]).toContain(BOOTFILE_NAME);
  });

  it('udhcpc', () => {
    const message = received('dhcp-discover-udhcpc');
    expect([...message.options.get(PARAMETER_REQUEST_LIST)!]).toEqual([1, 3, 6, 12, 15, 28, 42]);
    expect(message.options.get(CLIENT_IDENTIFIER)).toEqual(hex('01 52 54 00 12 34 56'));
  });

  it('dhclient, which gives its lease back', () => {
    const message = received('dhcp-release-dhclient');
    expect(messageTypeOf(message.options)).toBe('release');
    expect(formatIpv4(message.ciaddr)).toBe('10.0.2.15');
    expect(formatIpv4(ipv4Of(message.options, SERVER_IDENTIFIER)!)).toBe('10.0.2.2');
  });

  it('a server with a boot file', () => {
    const message = received('dhcp-offer-libslirp');
    expect(message).toMatchObject({ op: 'reply', file: 'boot.ipxe', sname: '', yiaddr: ip('10.0.2.15') });
  });

  it.each(['dhcp-discover-ipxe', 'dhcp-request-udhcpc', 'dhcp-discover-dhclient', 'dhcp-discover-dhcpcd'])(
    '%s is written as it was read',
    (name) => {
      const message = received(name);
      const out = new Uint8Array(DHCP_DEFAULT_LIMIT);
      expect(parseDhcp(out, 0, emitDhcp(message, out, 0, DHCP_DEFAULT_LIMIT))).toEqual(message);
    },
  );
});

describe('reading options', () => {
  it('takes the end of the message for the end of the options', () => {
    expect(optionsOf(request('35 01 01'))).toEqual({ 53: [1] });
  });

  it('sees nothing behind option 255, and skips padding', () => {
    expect(optionsOf(request('00 00 35 01 01 ff 0c 01 61'))).toEqual({ 53: [1] });
  });

  it('joins the pieces of a long option (RFC 3396)', () => {
    expect(optionsOf(request('0c 02 61 62 35 01 01 0c 01 63 ff'))).toEqual({ 12: [0x61, 0x62, 0x63], 53: [1] });
  });

  it('goes on in file, then in sname, when option 52 says so', () => {
    const bytes = request('34 01 03 0c 01 61 ff', { file: '0c 01 62 ff', sname: '0c 01 63 ff' });
    expect(optionsOf(bytes)).toEqual({ 12: [0x61, 0x62, 0x63] });
    expect(parsed(bytes)).toMatchObject({ file: '', sname: '' });
  });

  it('leaves alone a field that option 52 does not name', () => {
    const bytes = request('34 01 02 ff', { file: '61 62', sname: '35 01 01 ff' });
    expect(optionsOf(bytes)).toEqual({ 53: [1] });
    expect(parsed(bytes)).toMatchObject({ file: 'ab' });
  });

  it.each([
    ['a length that leads past the end', request('0c 05 61'), 'bad-length'],
    ['a code without a length', request('0c'), 'bad-length'],
    [
      'a length in file that leads past it',
      request('34 01 01 ff', { file: `${'00'.repeat(126)} 0c 02` }),
      'bad-length',
    ],
    ['too few octets', request('').subarray(0, 239), 'truncated'],
    ['another operation', request('').fill(3, 0, 1), 'bad-value'],
    ['another hardware type', request('').fill(6, 1, 2), 'bad-value'],
    ['another address length', request('').fill(16, 2, 3), 'bad-value'],
  ])('refuses %s', (_what, bytes, defect) => {
    expect(parsed(bytes)).toBe(defect);
  });

  it('finds no options in a message of plain BOOTP', () => {
    expect(optionsOf(request('35 01 01 ff').fill(0, 236, 240))).toEqual({});
  });

  it('reads a file name that fills its field', () => {
    expect(parsed(request('ff', { file: '61'.repeat(128) }))).toMatchObject({ file: 'a'.repeat(128) });
  });
});

describe('writing', () => {
  const plain: DhcpMessage = {
    op: 'reply',
    hops: 0,
    xid: 7,
    secs: 0,
    isBroadcast: true,
    ciaddr: 0,
    yiaddr: ip('10.0.0.9'),
    siaddr: 0,
    giaddr: 0,
    chaddr: 0x525400000001,
    sname: '',
    file: '',
    options: new Map([[MESSAGE_TYPE, messageType('offer')]]),
  };

  function written(message: DhcpMessage, limit = DHCP_DEFAULT_LIMIT) {
    const out = new Uint8Array(4096).fill(0xee);
    const omitted: number[] = [];
    const end = emitDhcp(message, out, 0, limit, omitted);
    return { end, omitted, message: parseDhcp(out, 0, end) };
  }

  it('pads to the 300 octets of BOOTP', () => {
    expect(written(plain)).toEqual({ end: 300, omitted: [], message: plain });
  });

  it('splits an option of more than 255 octets (RFC 3396)', () => {
    const long = { ...plain, options: new Map([[HOST_NAME, new Uint8Array(600).fill(0x61)]]) };
    const { end, message } = written(long, 1400);
    expect(end).toBe(240 + 600 + 3 * 2 + 1);
    expect(message).toEqual(long);
  });

  it('fills file and sname when the client takes no more', () => {
    const options = new Map([60, 61, 62].map((code) => [code, new Uint8Array(code * 2 - 20).fill(code)]));
    const wide = { ...plain, options: new Map([...options, [63, new Uint8Array(120)], [64, new Uint8Array(50)]]) };
    const { end, omitted, message } = written(wide, 560);
    expect(omitted).toEqual([]);
    expect(end).toBeLessThanOrEqual(560);
    expect(message).toEqual(wide);
  });

  it('leaves out the last options when there is no room anywhere, and says which', () => {
    const options = new Map(Array.from({ length: 10 }, (_, i) => [100 + i, new Uint8Array(60).fill(i)]));
    const { end, omitted, message } = written({ ...plain, file: 'boot', sname: 'server', options });
    expect(end).toBeLessThanOrEqual(DHCP_DEFAULT_LIMIT);
    expect(omitted).toEqual([104, 105, 106, 107, 108, 109]);
    expect(message).toMatchObject({ file: 'boot', options: new Map([...options].slice(0, 4)) });
  });

  it('does not cut a file name silently', () => {
    expect(() => written({ ...plain, file: 'a'.repeat(128) })).toThrow(RangeError);
  });
});

describe('option values', () => {
  it('121: the example of RFC 3442', () => {
    const routes = [
      { destination: { address: 0, prefixLength: 0 }, gateway: ip('10.0.0.1') },
      { destination: { address: ip('10.17.0.0'), prefixLength: 16 }, gateway: ip('10.0.0.2') },
      { destination: { address: ip('10.229.0.128'), prefixLength: 25 }, gateway: ip('10.0.0.3') },
    ];
    const octets = hex('00 0a 00 00 01  10 0a 11 0a 00 00 02  19 0a e5 00 80 0a 00 00 03');
    expect(classlessRoutes(routes)).toEqual(octets);
    expect(classlessRoutesOf(new Map([[CLASSLESS_ROUTES, octets]]))).toEqual(routes);
  });

  it('119: the example of RFC 3397', () => {
    const names = ['eng.apple.com', 'marketing.apple.com'];
    const octets = hex('03 65 6e 67 05 61 70 70 6c 65 03 63 6f 6d 00 09 6d 61 72 6b 65 74 69 6e 67 c0 04');
    expect(domainSearch(names)).toEqual(octets);
    expect(domainSearchOf(new Map([[DOMAIN_SEARCH, octets]]))).toEqual(names);
  });

  it.each([
    ['119', 'a pointer to itself', '01 61 c0 02'],
    ['119', 'a pointer forwards', 'c0 04 01 61 00'],
    ['119', 'two pointers in a circle', '01 61 c0 06 01 62 c0 00'],
    ['119', 'a label past the end', '05 61'],
    ['121', 'a prefix of 33 bits', '21 0a 00 00 00 00 0a 00 00 01'],
    ['121', 'a route cut short', '18 0a 00 00 0a 00'],
  ])('%s with %s gives nothing', (code, _what, octets) => {
    const options = new Map([[Number(code), hex(octets)]]);
    expect([...domainSearchOf(options), ...classlessRoutesOf(options)]).toEqual([]);
  });

  it('a value of another length is no value', () => {
    expect(ipv4Of(new Map([[REQUESTED_ADDRESS, hex('0a 00 00')]]), REQUESTED_ADDRESS)).toBeUndefined();
    expect(messageTypeOf(new Map([[MESSAGE_TYPE, hex('01 01')]]))).toBeUndefined();
    expect(messageTypeOf(new Map([[MESSAGE_TYPE, hex('09')]]))).toBeUndefined();
  });

  it('text ends at a NUL', () => {
    expect(textOf(new Map([[HOST_NAME, text('web\0\0')]]), HOST_NAME)).toBe('web');
  });
});
