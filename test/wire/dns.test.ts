import { describe, expect, it } from 'vitest';
import { decodeAnswers, encodeName, encodeRecordData } from '../../src/wire/dns.ts';
import { parseDnsAnswer, parseDnsQuery } from '../../src/wire/dns-message.ts';
import { endOfName, isDomainName, nameText } from '../../src/wire/dns-name.ts';
import { emitDnsAnswer } from '../../src/wire/dns-response.ts';
import { hex } from '../support/frames.ts';
import { packet } from '../support/packets.ts';

const HEADER = '12 34 01 00 00 01 00 00 00 00 00 00';
const QUESTION = '03 77 77 77 00 00 01 00 01';
const OPT = '00 00 29 04 d0 00 00 80 00 00 00';

function parsedQuery(octets: string) {
  const bytes = hex(octets);
  return parseDnsQuery(bytes, 0, bytes.length);
}

describe('queries', () => {
  it.each([
    [
      'dns-query-a-dig',
      { id: 0xbfb4, name: 'www.example.com', type: 1, edns: { udpLength: 1232, version: 0, isDnssecOk: false } },
    ],
    [
      'dns-query-https-dig',
      { name: 'web.example.com', type: 65, flags: 0x0130, edns: { udpLength: 1232, version: 0, isDnssecOk: true } },
    ],
    ['dns-query-nxdomain-dig', { name: 'no.example.com', type: 1, class: 1, edns: undefined }],
  ])('%s is read', (name, expected) => {
    const bytes = packet(name);
    expect(parseDnsQuery(bytes, 0, bytes.length)).toMatchObject(expected);
  });

  it.each([
    ['no question', '12 34 01 00 00 00 00 00 00 00 00 00', 'bad-length'],
    ['two questions', `12 34 01 00 00 02 00 00 00 00 00 00 ${QUESTION} ${QUESTION}`, 'bad-length'],
    ['half a header', '12 34 01 00', 'truncated'],
    ['a compressed question', `${HEADER} c0 0c 00 01 00 01`, 'bad-value'],
    ['a label of the reserved kind', `${HEADER} 41 00 00 01 00 01`, 'bad-value'],
    ['a name of 256 octets', `${HEADER} ${'01 61 '.repeat(128)} 00 00 01 00 01`, 'bad-length'],
    ['a type without a class', `${HEADER} 03 77 77 77 00 00 01`, 'truncated'],
    ['EDNS twice', `12 34 01 00 00 01 00 00 00 00 00 02 ${QUESTION} ${OPT} ${OPT}`, 'bad-value'],
    ['EDNS among the answers', `12 34 01 00 00 01 00 01 00 00 00 00 ${QUESTION} ${OPT}`, 'bad-value'],
    ['EDNS of a name', `12 34 01 00 00 01 00 00 00 00 00 01 ${QUESTION} 01 61 ${OPT}`, 'bad-value'],
    ['records that are not there', `12 34 01 00 00 01 00 00 00 00 ff ff ${QUESTION}`, 'truncated'],
  ])('with %s is refused', (_what, octets, defect) => {
    expect(parsedQuery(octets)).toBe(defect);
  });

  it('cut at any octet is truncated', () => {
    const bytes = packet('dns-query-a-dig');
    for (let length = 0; length < bytes.length; length++) expect(parseDnsQuery(bytes, 0, length)).toBe('truncated');
  });

  it('names are told apart whatever their octets are', () => {
    const texts = ['03 61 2e 62 00', '01 61 01 62 00', '03 41 20 ff 00'].map((octets) => nameText(hex(octets), 0));
    expect(texts).toEqual(['a\\046b', 'a.b', 'a\\032\\255']);
    expect(texts.map(encodeName)).toEqual([hex('03 61 2e 62 00'), hex('01 61 01 62 00'), hex('03 61 20 ff 00')]);
  });
});

describe('answers', () => {
  const question = (bytes: Uint8Array): Uint8Array => {
    const end = endOfName(bytes, 0, 12, bytes.length);
    return bytes.slice(12, (end as number) + 4);
  };
  const answered = (name: string) => parseDnsAnswer(packet(name), question(packet(name)));

  it.each([
    ['a', { rcode: 0, lifetime: 600, ttls: [39, 68], hasEdns: true }],
    ['https', { rcode: 0, lifetime: undefined, hasEdns: true }],
    ['nxdomain', { rcode: 3, lifetime: undefined, hasEdns: false }],
    ['soa', { rcode: 0, lifetime: 600 }],
    ['srv', { rcode: 0, lifetime: 600 }],
  ])('dns-answer-%s-dnsmasq is read', (name, expected) => {
    expect(answered(`dns-answer-${name}-dnsmasq`)).toMatchObject(expected);
  });

  it.each(['a', 'https', 'mx', 'soa', 'srv', 'txt'])('%s cut at any octet is refused', (name) => {
    const bytes = packet(`dns-answer-${name}-dnsmasq`);
    for (let length = 0; length < bytes.length; length++)
      expect(parseDnsAnswer(bytes.subarray(0, length), question(bytes))).toBe('truncated');
  });

  it('are written again as they were, older, for another id', () => {
    const query = parseDnsQuery(packet('dns-query-a-dig'), 0, 56);
    const answer = answered('dns-answer-a-dnsmasq');
    if (typeof query === 'string' || typeof answer === 'string') throw new Error('the fixtures are unreadable');
    const out = new Uint8Array(600);
    const end = emitDnsAnswer(answer, { elapsed: 0, least: 0 }, query, 512, out, 0);
    expect(out.subarray(0, end)).toEqual(packet('dns-answer-a-dnsmasq'));
    emitDnsAnswer(answer, { elapsed: 500, least: 0 }, { ...query, id: 7 }, 512, out, 0);
    expect([out[1], out[42], out[71]]).toEqual([7, 100, 100]);
  });

  it.each([
    ['a loop of one', 'c0 15'],
    ['a loop of two', 'c0 17 c0 15'],
    ['a way forward', 'c0 30'],
    ['a way out', 'ff ff'],
  ])('whose names make %s are refused', (_what, name) => {
    const bytes = hex(
      `12 34 81 80 00 01 00 01 00 00 00 00 ${QUESTION} ${name} 00 01 00 01 00 00 00 01 00 04 01 02 03 04`,
    );
    expect(parseDnsAnswer(bytes, hex(QUESTION))).toBe('bad-value');
    expect(decodeAnswers(bytes, 0)).toBe('bad-value');
  });

  it('a name of more pointers than a name has labels is refused', () => {
    const chain = (pointers: number) =>
      Uint8Array.of(
        0,
        ...Array.from({ length: pointers }, (_, i) => [0xc0 | (pointerTarget(i) >> 8), pointerTarget(i) & 0xff]).flat(),
      );
    const endOf = (bytes: Uint8Array) => endOfName(bytes, 0, bytes.length - 2, bytes.length);
    expect(endOf(chain(127))).toBe(255);
    expect(endOf(chain(128))).toBe('bad-value');
  });

  it('a name that grows by pointers beyond 255 octets is refused', () => {
    const labels = `${'3f'} ${'61 '.repeat(63)}`;
    const bytes = hex(`${labels.repeat(3)} ${labels} c0 00`);
    expect(endOfName(bytes, 0, bytes.length - 2, bytes.length)).toBe('bad-length');
  });
});

describe('data of records', () => {
  it.each([
    ['00 05', '', '03 61 2e ff 00'],
    ['00 0f', '00 0a', '03 61 2e ff 00'],
    ['00 21', '00 00 00 05 13 c4', '03 61 2e ff 00'],
  ])('of type %s keeps every octet of a label', (type, before, name) => {
    const length = hex(`${before} ${name}`).length.toString(16).padStart(2, '0');
    const record = `c0 0c ${type} 00 01 00 00 00 01 00 ${length} ${before} ${name}`;
    const records = decodeAnswers(hex(`12 34 81 80 00 01 00 01 00 00 00 00 ${QUESTION} ${record}`), 0);
    if (typeof records === 'string') throw new Error(records);
    expect(records[0]!.data).toEqual(hex(`${before} ${name}`));
  });

  it.each([
    ['a', 2, [hex('03 77 65 62 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00'), hex('c0 00 02 50')]],
    ['mx', 1, [hex('00 0a 04 6d 61 69 6c 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00')]],
    ['txt', 1, [hex('0b 76 3d 73 70 66 31 20 2d 61 6c 6c 06 73 65 63 6f 6e 64')]],
  ])('of dns-answer-%s-dnsmasq comes without compression', (name, count, data) => {
    const records = decodeAnswers(packet(`dns-answer-${name}-dnsmasq`), 100);
    if (typeof records === 'string') throw new Error(records);
    expect(records).toHaveLength(count);
    expect(records.map((record) => record.data)).toEqual(data);
    expect(records[0]!.ttl).toBe(500);
  });

  it.each([
    ['an address', { type: 'A', address: '10.0.2.256' }],
    ['an address of the other family', { type: 'A', address: 'fd00::1' }],
    ['an IPv6 address', { type: 'AAAA', address: 'web' }],
    ['a name with an empty label', { type: 'CNAME', target: 'a..b' }],
    ['a label of 64 octets', { type: 'PTR', target: 'a'.repeat(64) }],
    ['a name of 256 octets', { type: 'NS', target: 'a.'.repeat(128) }],
  ] as const)('refuses what is not %s', (_what, data) => {
    expect(encodeRecordData(data)).toBe('bad-value');
  });

  it('refuses a text of 256 octets', () => {
    expect(encodeRecordData({ type: 'TXT', texts: ['é'.repeat(128)] })).toBe('bad-length');
  });

  it.each([
    ['', true],
    ['a', true],
    ['a.b.', true],
    ['.a', false],
    [`${'a'.repeat(63)}.b`, true],
    ['a.'.repeat(127), true],
  ])('%j is a name: %s', (text, is) => {
    expect(isDomainName(text)).toBe(is);
  });
});

/** The place of the pointer before, or of the root at 0. */
function pointerTarget(index: number): number {
  return Math.max(0, 2 * index - 1);
}
