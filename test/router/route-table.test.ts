import { describe, expect, it } from 'vitest';
import { Ipv4RouteTable } from '../../src/router/route-table.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { ip } from '../support/stack-peer.ts';

function tableOf(...networks: readonly string[]) {
  const table = new Ipv4RouteTable<{ to: NonNullable<ReturnType<typeof parseIpv4Interface>>; name: string }>();
  const added = networks.map((name) => table.add({ to: parseIpv4Interface(name)!, name }));
  return { added, find: (address: string) => table.find(ip(address))?.name };
}

describe('a route', () => {
  it.each([
    { to: '10.1.2.3', by: '10.1.2.3/32' },
    { to: '10.1.2.4', by: '10.1.2.0/24' },
    { to: '10.1.9.9', by: '10.0.0.0/8' },
    { to: '192.0.2.1', by: '0.0.0.0/0' },
    { to: '255.255.255.255', by: '0.0.0.0/0' },
  ])('to $to is the longest that leads there, $by', ({ to, by }) => {
    const { find } = tableOf('10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32', '10.1.2.0/24');
    expect(find(to)).toBe(by);
  });

  it('is the first one to its network', () => {
    const { added, find } = tableOf('10.0.0.0/8', '10.9.9.9/8');
    expect(added).toEqual([true, false]);
    expect(find('10.9.9.9')).toBe('10.0.0.0/8');
  });

  it('is not made up', () => {
    const { find } = tableOf('10.1.2.0/24');
    expect(find('10.1.3.0')).toBeUndefined();
  });
});
