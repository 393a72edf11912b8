import { describe, expect, it } from 'vitest';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import { formatIp6, icmpv6Frame, ip6, ipv6Frame, ONE, TWO, Wire6 } from '../support/ipv6-peer.ts';

const OWN_GROUPS = ['ff02::1:ff00:2', 'ff02::1:ff0a:2'];

/** What a report says: its destination and hop limit, and its records. */
function told(frame: Uint8Array): string {
  const ip = new Ipv6View();
  expect(ip.bind(frame, 14, frame.length)).toBeUndefined();
  expect([...frame.subarray(54, 62)]).toEqual([58, 0, 5, 2, 0, 0, 1, 0]);
  expect([ip.nextHeader, ip.hopLimit, formatIp6(ip.source)]).toEqual([0, 1, formatIp6(TWO.address)]);
  const to = formatIp6(ip.destination);
  const message = frame.subarray(62);
  if (message[0] !== 143) return `${to} ${message[0]} ${formatIp6(message.slice(8, 24))}`;
  const records = Array.from({ length: message[7]! }, (_, i) => message.slice(8 + i * 20, 28 + i * 20));
  return `${to} ${records.map((record) => `${record[0]} ${formatIp6(record.slice(4))}`).join(', ')}`;
}

const tell = (wire: Wire6) => wire.take().map(told);

function query(group: string, { version = 2, maxResponse = 1000 } = {}): Uint8Array {
  const v1 = [130, 0, 0, 0, maxResponse >> 8, maxResponse & 255, 0, 0, ...ip6(group)];
  const message = icmpv6Frame(Uint8Array.from(version === 1 ? v1 : [...v1, 2, 125, 0, 0])).slice(54);
  // Behind a router alert; the checksum is that of the destination, which is the station itself here.
  const options = Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0, ...message);
  return ipv6Frame(options, { source: ONE.address, hopLimit: 1, nextHeader: 0 });
}

describe('groups are reported', () => {
  it('when addresses are configured, twice, and not before', () => {
    const wire = new Wire6();
    wire.scheduler.advance(5000);
    expect(tell(wire)).toEqual([]);
    wire.stack.configure({ ipv6: { interface: { address: TWO.global, prefixLength: 64 } } });
    const report = `ff02::16 ${OWN_GROUPS.map((group) => `4 ${group}`)
      .sort()
      .join(', ')}`;
    const sorted = () =>
      tell(wire).map((text) => text.replace(/ .*/, (list) => ` ${list.slice(1).split(', ').sort().join(', ')}`));
    expect(sorted()).toEqual([report]);
    wire.scheduler.advance(1000);
    expect(sorted()).toEqual([report]);
    expect(wire.scheduler.pending).toBe(0);
  });

  it('when one is joined or left later', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.stack.joinGroup(ip6('ff02::1:2'));
    wire.stack.leaveGroup(ip6('ff02::1:2'));
    expect(tell(wire)).toEqual(['ff02::16 4 ff02::1:2', 'ff02::16 3 ff02::1:2']);
  });

  it('when a querier asks, once within its time, but not for groups of others', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.deliver(query('::'), query('::'), query('ff02::1:ff0a:2'), query('ff02::77'));
    wire.scheduler.advance(1000);
    const [report, ...more] = tell(wire);
    expect(OWN_GROUPS.map((group) => report!.includes(`2 ${group}`))).toEqual([true, true]);
    expect(more).toEqual([]);
    expect(wire.drops()).toEqual({ 'mld-unused': 1 });
  });

  it('as soon as any of the queriers wants it', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.deliver(query('::', { maxResponse: 0xffff }), query('::', { maxResponse: 100 }));
    wire.scheduler.advance(100);
    expect(tell(wire)).toHaveLength(1);
    wire.scheduler.advance(10_000_000);
    expect(tell(wire)).toEqual([]);
  });

  it('in words of version 1 while its querier is about', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.deliver(query('::', { version: 1 }));
    wire.scheduler.advance(1000);
    expect(tell(wire).sort()).toEqual(OWN_GROUPS.map((group) => `${group} 131 ${group}`));
    wire.stack.joinGroup(ip6('ff02::1:2'));
    wire.stack.leaveGroup(ip6('ff02::1:2'));
    expect(tell(wire)).toEqual(['ff02::1:2 131 ff02::1:2', 'ff02::2 132 ff02::1:2']);
    wire.scheduler.advance(260_000);
    wire.take();
    wire.stack.joinGroup(ip6('ff02::1:2'));
    expect(tell(wire)).toEqual(['ff02::16 4 ff02::1:2']);
  });
});
