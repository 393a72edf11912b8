import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { DHCP_CLIENT_PORT } from '../../src/wire/dhcp.ts';
import { MESSAGE_TYPE, messageType } from '../../src/wire/dhcp-options.ts';
import { readUint16, readUint32, writeUint16 } from '../../src/wire/octets.ts';
import { ACK, PSH, SYN } from '../../src/wire/tcp.ts';
import { queryOf } from '../support/dns-peer.ts';
import { A, B, frame } from '../support/frames.ts';
import { GATEWAY, GatewayWire, GUEST, NAMES, refit, segmentFrame, WORLD } from '../support/gateway-wire.ts';
import { ipv6Frame } from '../support/ipv6-peer.ts';
import type { MemoryStream } from '../support/memory-stream.ts';
import { converse, WELL } from '../support/noise.ts';
import { packet } from '../support/packets.ts';
import { echoRequest, fragmentsOf, icmpPayload, ipv4Frame, pattern, udpPayload } from '../support/stack-peer.ts';

const URG = 0x20;
const TO_GATEWAY = { source: GUEST, destination: GATEWAY };

function datagram(port: number, payload: Uint8Array, sourcePort = 5000, destination = GATEWAY): Uint8Array {
  const addresses = { source: GUEST, destination };
  return ipv4Frame(udpPayload(sourcePort, port, payload, addresses), addresses);
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const request = (file = 'boot.img'): Uint8Array => text(`\0\x01${file}\0octet\0`);
const acknowledgment = (block: number): Uint8Array => Uint8Array.of(0, 4, block >> 8, block);

/** A connection of the machine to the world, and the host's end of it. */
class Talk {
  readonly wire: GatewayWire;
  readonly host: MemoryStream;
  sequence = 1001;
  readonly #acknowledgment: number;

  constructor(wire: GatewayWire, fields: Parameters<typeof segmentFrame>[0] = {}) {
    this.wire = wire;
    wire.send(segmentFrame(fields));
    this.host = wire.net.lastStream;
    this.host.open();
    const answer = wire.machine.take().at(-1)!;
    this.#acknowledgment = (readUint32(answer, 38) + 1) >>> 0;
    this.say({});
  }

  say(fields: Parameters<typeof segmentFrame>[0]): void {
    const { sequence } = this;
    this.wire.send(segmentFrame({ sequence, acknowledgment: this.#acknowledgment, flags: ACK, ...fields }));
  }
}

describe('urgent data (CVE-2026-9539)', () => {
  it.each([0, 1, 5, 6, 255, 65_535])(
    'with its pointer at %i brings the octets of the segment and no others',
    async (urgent) => {
      const talk = new Talk(await new GatewayWire().start());
      talk.say({ flags: ACK | PSH | URG, urgent, payload: pattern(5) });
      expect(talk.host.written).toEqual(Buffer.from(pattern(5)));
    },
  );

  it('without a payload, or in a SYN, brings nothing', async () => {
    const talk = new Talk(await new GatewayWire().start(), { flags: SYN | URG, urgent: 65_535 });
    talk.say({ flags: ACK | URG, urgent: 65_535 });
    expect(talk.host.written).toHaveLength(0);
    talk.say({ payload: pattern(3) });
    expect(talk.host.written).toEqual(Buffer.from(pattern(3)));
  });
});

describe('lengths of DHCP (CVE-2026-95508 and its kin)', () => {
  const discover = (options: readonly (readonly [number, Uint8Array])[]): Uint8Array => {
    const out = new Uint8Array(1400);
    const base = packet('dhcp-discover-ipxe').subarray(42);
    out.set(base.subarray(0, 240));
    let at = 240;
    for (const [code, value] of [[MESSAGE_TYPE, messageType('discover')] as const, ...options]) {
      out.set([code, value.length], at);
      out.set(value, at + 2);
      at += 2 + value.length;
    }
    out[at] = 255;
    const addresses = { source: 0, destination: 0xffffffff };
    const payload = udpPayload(DHCP_CLIENT_PORT, 67, out.subarray(0, at + 1), addresses);
    return ipv4Frame(payload, { ...addresses, toMac: 0xffffffffffff });
  };

  it.each([0, 1, 100, 575, 576, 1500, 65_535])('an answer to who takes %i octets fits the network', async (size) => {
    const wire = await new GatewayWire().start();
    wire.send(
      discover([
        [57, Uint8Array.of(size >> 8, size)],
        [55, Uint8Array.from({ length: 200 }, (_, i) => i + 1)],
      ]),
    );
    await wire.pass(2000, 100);
    const answers = wire.machine.take().filter((said) => said[23] === 17);
    expect(answers).toHaveLength(1);
    expect(answers[0]!.length).toBeLessThanOrEqual(14 + 1500);
  });

  it.each([1, 2, 3, 5, 100, 255])(
    'an option of %i octets where another length belongs does no harm',
    async (length) => {
      const wire = await new GatewayWire().start();
      const value = new Uint8Array(Math.min(length, 250)).fill(0xff);
      for (const code of [12, 50, 51, 54, 55, 57, 60, 61, 77, 82, 93, 97, 118, 119, 121])
        wire.send(discover([[code, value]]));
      await wire.pass(2000, 100);
      expect(await converse(wire)).toEqual(WELL);
    },
  );

  it('options without an end, and one that is longer than what is left, are refused', async () => {
    const wire = await new GatewayWire().start();
    const whole = discover([[12, pattern(20)]]);
    wire.send(refit(whole.slice(0, -1)), refit(whole.slice(0, -5)));
    expect(wire.gateway.counters.get('dhcp-malformed')).toBeGreaterThan(0);
  });

  it('DHCPv6 with a wrong checksum and NC-SI find nobody', async () => {
    const wire = await new GatewayWire().start();
    const ncsi = frame(A, B, 100, 0xff);
    writeUint16(ncsi, 12, 0x88f8);
    const solicit = Uint8Array.of(2, 34, 2, 35, 0, 12, 0, 0, 1, 0, 0, 1);
    const fields = { destination: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xff, 0xfe, 0, 0, 1) };
    wire.send(ncsi, ipv6Frame(solicit, { ...fields, nextHeader: 17, toMac: A, fromMac: B }));
    expect(wire.gateway.counters.get('unknown-ethertype')).toBe(1);
    expect(wire.gateway.counters.get('udp-bad-checksum')).toBe(1);
    expect(wire.machine.take()).toEqual([]);
  });
});

describe('fragments', () => {
  const whole = udpPayload(5000, 9, pattern(1000), { source: GUEST, destination: WORLD });
  const fields = { source: GUEST, destination: WORLD };
  const pieces = (identification: number, size = 200) => fragmentsOf(whole, size, { ...fields, identification });

  it('with unequal headers make one datagram or none, and none stays behind', async () => {
    const wire = await new GatewayWire().start();
    let sent = 0;
    for (let identification = 2; identification <= 201; identification++) {
      const [first, ...others] = pieces(identification);
      first![22] = identification; // time to live
      others[0]![15] = identification; // type of service
      if (identification % 2 === 0) others[1]![23] = 6; // a protocol of its own
      const all = [first!, ...others].map(refit);
      sent += all.length;
      wire.send(...all);
    }
    expect(wire.net.sockets.at(-1)!.sent).toHaveLength(100);
    await wire.pass(31_000, 1000);
    expect(wire.gateway.counters.get('fragment-timeout')).toBe(sent - 100 * pieces(1).length);
  });

  it('whose last one comes first, or twice with another end, or before others in the middle, are judged alike', async () => {
    const wire = await new GatewayWire().start();
    const said = () => wire.net.sockets.reduce((sum, { sent }) => sum + sent.length, 0) - 1;
    wire.send(datagram(9, pattern(1), 5000, WORLD));
    wire.send(...pieces(1).toReversed());
    expect(said()).toBe(1);
    const [a, b, , , , last] = pieces(2);
    const shorter = refit(last!.slice(0, -8));
    wire.send(a!, last!, shorter, b!);
    expect(wire.gateway.counters.get('fragment-malformed')).toBe(4);
    const late = ipv4Frame(pattern(8), { ...fields, identification: 3, fragmentOffset: 400 });
    wire.send(...pieces(3).slice(0, 5), late);
    expect(said()).toBe(1);
    expect(await converse(wire)).toEqual(WELL);
  });

  it('that overlap, or reach beyond 65 535 octets, refuse their datagram', async () => {
    const wire = await new GatewayWire().start();
    for (const overlap of [8, 16, 192]) {
      const [a, b] = pieces(overlap);
      const moved = ipv4Frame(b!.slice(34), {
        ...fields,
        identification: overlap,
        fragmentOffset: 200 - overlap,
        moreFragments: true,
      });
      wire.send(a!, moved, ...pieces(overlap).slice(1));
    }
    wire.send(ipv4Frame(pattern(1480), { ...fields, identification: 99, fragmentOffset: 65_528 }));
    expect(wire.gateway.counters.get('fragment-malformed')).toBe(3 * 7 + 1);
    expect(wire.net.sockets.filter(({ sent }) => sent.length > 0)).toEqual([]);
  });

  it('of all offsets and lengths, by chance, leave nothing behind', async () => {
    const random = new SeededRandom(7);
    const wire = await new GatewayWire().start();
    const before = wire.counted;
    const below = (limit: number) => Math.floor(random.next() * limit);
    for (let i = 0; i < 5000; i++) {
      const moreFragments = random.next() < 0.7;
      const more = {
        moreFragments,
        identification: below(40),
        fragmentOffset: 8 * below(random.next() < 0.9 ? 30 : 8192),
      };
      wire.send(ipv4Frame(pattern(below(4) === 0 ? below(200) : 8 * below(20)), { ...fields, ...more, protocol: 1 }));
    }
    await wire.pass(31_000, 1000);
    expect(wire.counted - before).toBeGreaterThan(3000);
    expect(await converse(wire)).toEqual(WELL);
  });
});

describe('TFTP transfers', () => {
  it('that are aborted, repeated or begun anew in the middle end once, and their files are closed', async () => {
    const wire = await new GatewayWire().start();
    for (let port = 2000; port < 2030; port++) {
      wire.send(datagram(69, request(), port), datagram(69, request(), port));
      await wire.pass(20);
      const [block] = wire.machine.take().filter((said) => said[23] === 17);
      const server = readUint16(block!, 34);
      wire.send(datagram(server, acknowledgment(1), port), datagram(server, acknowledgment(1), port));
      wire.send(datagram(69, request(), port));
      wire.send(datagram(server, acknowledgment(2), port));
      await wire.pass(20);
      const again = wire.machine.take().filter((said) => said[23] === 17 && readUint16(said, 34) !== server);
      const anew = readUint16(again.at(-1)!, 34);
      const abort = text('\0\x05\0\0gone\0');
      wire.send(datagram(anew, abort, port), datagram(anew, acknowledgment(1), port), datagram(anew, abort, port));
      await wire.pass(20);
      expect(wire.files.openFiles).toBe(0);
      expect(wire.machine.take().filter((said) => readUint16(said, 34) === anew)).toEqual([]);
    }
    expect(await converse(wire)).toEqual(WELL);
  });

  it('that end while their file is being opened or read leave no file open', async () => {
    const wire = await new GatewayWire().start();
    wire.send(datagram(69, request(), 2000), datagram(69, request(), 2001), datagram(69, request('nothing'), 2000));
    await wire.gateway.stop();
    await wire.pass(1000);
    expect(wire.files.openFiles).toBe(0);
  });
});

describe('short packets (CVE-2021-3592, 3593, 3594, 3595)', () => {
  const short = (port: number, payload: Uint8Array, source = 5000) =>
    Array.from({ length: payload.length }, (_, i) => datagram(port, payload.slice(0, i), source));

  it('of BOOTP are counted and tell nothing', async () => {
    const wire = await new GatewayWire().start();
    wire.send(...short(67, packet('dhcp-discover-ipxe').slice(42, 42 + 240), 68));
    expect(wire.gateway.counters.get('dhcp-malformed')).toBe(240);
    await wire.pass(2000, 100);
    expect(wire.machine.take()).toEqual([]);
  });

  it('of TFTP are counted, and no file is opened', async () => {
    const wire = await new GatewayWire().start();
    wire.send(...short(69, request()));
    await wire.pass(100);
    const { counters } = wire.gateway;
    expect(counters.get('tftp-malformed') + counters.get('tftp-unexpected')).toBe(request().length);
    expect(wire.files.openFiles).toBe(0);
  });

  it('of UDP, whose length says more or less than there is, are counted', async () => {
    const wire = await new GatewayWire().start();
    for (const length of [0, 1, 7, 39, 1000, 65_535]) {
      const bytes = datagram(9, pattern(30), 5000, WORLD);
      writeUint16(bytes, 38, length);
      writeUint16(bytes, 40, 0);
      wire.send(bytes);
    }
    expect(wire.gateway.counters.get('udp-malformed')).toBe(6);
    expect(wire.asked).toBe(0);
  });

  it('of UDP over IPv6 are counted', async () => {
    const wire = await new GatewayWire().start();
    const destination = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xff, 0xfe, 0, 0, 1);
    for (let length = 0; length < 9; length++)
      wire.send(ipv6Frame(pattern(length), { destination, nextHeader: 17, toMac: A, fromMac: B }));
    expect(wire.gateway.counters.get('udp-malformed')).toBe(9);
  });

  it('of ICMP are counted, and an error that quotes too little is about nothing', async () => {
    const wire = await new GatewayWire().start();
    for (let length = 0; length < 8; length++) wire.send(ipv4Frame(pattern(length), { ...TO_GATEWAY, protocol: 1 }));
    const quoted = datagram(9, pattern(30)).slice(14);
    for (let length = 0; length < 28; length++)
      wire.send(ipv4Frame(icmpPayload(3, 3, quoted.slice(0, length)), { ...TO_GATEWAY, protocol: 1 }));
    const { counters } = wire.gateway;
    expect(counters.get('icmp-malformed') + counters.get('icmp-bad-checksum')).toBe(8);
    expect(counters.get('icmp-unmatched')).toBe(28);
  });
});

describe('what the gateway sends', () => {
  it('is at least 60 octets long, and its padding is zeros', async () => {
    const wire = await new GatewayWire().start();
    wire.send(echoRequest(pattern(1), TO_GATEWAY), datagram(9, pattern(1)), segmentFrame({ flags: ACK }));
    wire.send(packet('ndp-router-solicitation-ipxe'), segmentFrame({ to: NAMES, port: 53 }));
    await wire.pass(100);
    const said = wire.machine.take();
    expect(said.length).toBeGreaterThanOrEqual(5);
    for (const bytes of said) {
      expect(bytes.length).toBeGreaterThanOrEqual(60);
      if (readUint16(bytes, 12) !== 0x0800) continue;
      expect(bytes.subarray(14 + readUint16(bytes, 16)).every((octet) => octet === 0)).toBe(true);
    }
  });

  it('quotes no more of a packet than the packet had', async () => {
    const wire = await new GatewayWire().start();
    wire.send(datagram(9, pattern(5)));
    const [error] = wire.machine.take();
    expect(readUint16(error!, 16)).toBe(20 + 8 + 28 + 5);
  });
});

describe('octets that wait', () => {
  it('for the host are those that came, whatever comes behind them (stale pointers)', async () => {
    const talk = new Talk(await new GatewayWire().start());
    talk.host.room = 0;
    const pieces = [pattern(900), pattern(40).reverse(), new Uint8Array(700).fill(7)];
    for (const payload of pieces) {
      talk.say({ payload });
      talk.sequence += payload.length;
      talk.wire.send(datagram(9, new Uint8Array(1200).fill(0xaa), 5000, WORLD));
    }
    talk.host.take();
    expect(talk.host.written).toEqual(Buffer.concat(pieces));
  });

  it('for octets before them are those that came', async () => {
    const talk = new Talk(await new GatewayWire().start());
    const early = pattern(500);
    talk.say({ sequence: talk.sequence + 10, payload: early });
    talk.wire.send(datagram(9, new Uint8Array(1200).fill(0xaa), 5000, WORLD));
    talk.say({ payload: new Uint8Array(10).fill(1) });
    expect(talk.host.written).toEqual(Buffer.concat([new Uint8Array(10).fill(1), early]));
  });
});

describe('lists without an end', () => {
  it('of TCP options end with the header', async () => {
    const wire = await new GatewayWire().start();
    const lists = [
      [2, 0, 0, 0],
      [2, 1, 0, 0],
      [8, 10, 0, 0],
      [1, 1, 1, 2],
      [254, 255, 0, 0],
      [5, 34, 0, 0],
      [3, 3, 255, 2],
    ];
    for (const [i, options] of lists.entries())
      wire.send(segmentFrame({ sourcePort: 41_000 + i, options: Uint8Array.from(options) }));
    expect(wire.net.streams).toHaveLength(lists.length);
  });

  it('of IPv4 options are not read', async () => {
    const wire = await new GatewayWire().start();
    const plain = echoRequest(pattern(20), TO_GATEWAY);
    const bytes = new Uint8Array(plain.length + 40);
    bytes.set(plain.subarray(0, 34));
    bytes.fill(7, 34, 74);
    bytes.set(plain.subarray(34), 74);
    bytes[14] = 0x4f;
    wire.send(refit(bytes));
    expect(wire.machine.take()).toHaveLength(1);
  });

  it.each([
    [0xc0, 12],
    [0xc0, 0],
    [0xff, 0xff],
    [0x3f, 0x61],
    [0xc0, 13],
  ])('of DNS labels, compressed by %i %i, are answered with an error', async (high, low) => {
    const wire = await new GatewayWire().start();
    const query = queryOf('x', 'A', { id: 1 });
    query.set([high, low], 12);
    wire.send(datagram(53, query, 5000, NAMES));
    const [answer] = wire.machine.take();
    expect(answer![45]! & 15).toBe(1);
    expect(wire.gateway.counters.get('dns-malformed')).toBe(1);
  });
});

it('frames with any checksum wrong have no effect and are counted', async () => {
  const wire = await new GatewayWire().start();
  const broken = (bytes: Uint8Array, at: number) => {
    bytes[at] = bytes[at]! ^ 0x55;
    return bytes;
  };
  wire.send(broken(echoRequest(pattern(9), TO_GATEWAY), 24), broken(echoRequest(pattern(9), TO_GATEWAY), 36));
  wire.send(broken(datagram(69, request()), 40), broken(segmentFrame({}), 50));
  const { counters } = wire.gateway;
  const names = ['ipv4-bad-checksum', 'icmp-bad-checksum', 'udp-bad-checksum', 'tcp-bad-checksum'];
  expect(names.map((name) => counters.get(name))).toEqual([1, 1, 1, 1]);
  expect(wire.machine.take()).toEqual([]);
});
