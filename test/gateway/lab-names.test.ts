import { describe, expect, it } from 'vitest';
import { NetworkNames } from '../../src/gateway/lab-names.ts';
import type { DhcpConfig } from '../../src/service/dhcp/dhcp-config.ts';
import type { LeaseEntry } from '../../src/service/dhcp/leases.ts';
import type { Ipv6 } from '../../src/wire/ipv6-address.ts';
import { parseIpv6 } from '../../src/wire/ipv6-text.ts';
import { ip } from '../support/stack-peer.ts';

const GATEWAY = ip('10.0.2.2');
const WEB = 0x525400000001;
const DB = 0x525400000002;
const STRANGER = 0x525400000003;

const dhcp: DhcpConfig = {
  first: ip('10.0.2.15'),
  last: ip('10.0.2.254'),
  leaseTime: 60,
  reservations: [{ mac: WEB, address: ip('10.0.2.80'), hostname: 'web' }],
  hostnames: new Map([[DB, 'db']]),
  routers: [],
  dns: [],
  search: [],
  ntp: [],
  routes: [],
};

function lease(mac: number, address: string, hostname?: string, state: LeaseEntry['state'] = 'bound'): LeaseEntry {
  return { mac, address: ip(address), state, expires: 1e9, ...(hostname !== undefined && { hostname }) };
}

/** Of IPv6 a way leads to fd00:1::/64. */
const leadsTo = (address: Ipv6) => address[3] === 1;

function namesWith(...leases: LeaseEntry[]): NetworkNames {
  return new NetworkNames({ gateway: [GATEWAY], dhcp }, { leases: () => leases, learnt: () => [], leadsTo });
}

describe('the names of a network', () => {
  it('has the gateway, whatever case is asked', () => {
    expect(namesWith().addressesOf('Gateway')).toEqual([GATEWAY]);
    expect(namesWith().nameOf(GATEWAY)).toBe('gateway');
  });

  it('has a reserved card before its machine has come', () => {
    expect(namesWith().addressesOf('web')).toEqual([ip('10.0.2.80')]);
    expect(namesWith().nameOf(ip('10.0.2.80'))).toBe('web');
  });

  it('has a named card where its lease is, whatever the machine calls itself', () => {
    const names = namesWith(lease(DB, '10.0.2.15', 'localhost'));
    expect(names.addressesOf('db')).toEqual([ip('10.0.2.15')]);
    expect(names.addressesOf('localhost')).toEqual([]);
  });

  it('has a machine by the first label of the name that it told', () => {
    const names = namesWith(lease(STRANGER, '10.0.2.16', 'Laptop.example.org'));
    expect(names.addressesOf('laptop')).toEqual([ip('10.0.2.16')]);
    expect(names.nameOf(ip('10.0.2.16'))).toBe('laptop');
  });

  it.each(['web', 'DB', 'gateway'])('lets nobody else be called %s', (name) => {
    const names = namesWith(lease(STRANGER, '10.0.2.16', name));
    expect(names.nameOf(ip('10.0.2.16'))).toBeUndefined();
    expect(names.addressesOf(name)).not.toContain(ip('10.0.2.16'));
  });

  it.each(['', '-x', 'x-', 'a b', 'ünï', '.', 'a'.repeat(64), 'localhost'])('takes %j for no name', (hostname) => {
    expect(namesWith(lease(STRANGER, '10.0.2.16', hostname)).nameOf(ip('10.0.2.16'))).toBeUndefined();
  });

  it.each(['offered', 'expired', 'released', 'declined'] as const)('forgets a lease that is %s', (state) => {
    expect(namesWith(lease(STRANGER, '10.0.2.16', 'laptop', state)).addressesOf('laptop')).toEqual([]);
  });
});

describe('the names of joined networks', () => {
  const far: DhcpConfig = { ...dhcp, reservations: [{ mac: DB, address: ip('10.0.3.80'), hostname: 'far' }] };
  const hosts = [
    { name: 'r1-lan', address: ip('10.0.3.1') },
    { name: 'r1', address: ip('10.0.3.1') },
    { name: 'r1', address: ip('10.0.4.1') },
  ];
  function joined(...leases: LeaseEntry[]) {
    const others = new NetworkNames(
      { gateway: [ip('10.0.3.2')], dhcp: far, hosts },
      { leases: () => leases, learnt: () => [], leadsTo },
    );
    const names = namesWith();
    names.alsoKnow([others]);
    return { names, others };
  }

  it('have the machines of all, the nearest first', () => {
    const { names } = joined(lease(STRANGER, '10.0.3.16', 'web'), lease(STRANGER, '10.0.3.17', 'pc'));
    expect(names.addressesOf('far')).toEqual([ip('10.0.3.80')]);
    expect(names.addressesOf('PC')).toEqual([ip('10.0.3.17')]);
    expect(names.addressesOf('web')).toEqual([ip('10.0.2.80')]);
    expect(names.nameOf(ip('10.0.3.80'))).toBe('far');
  });

  it('have addresses of IPv6 only where a way leads to them', () => {
    const { names, others } = joined();
    const host = (text: string) => ({ name: 'r2', address: parseIpv6(text)! });
    others.configure({ hosts: [host('fd00:1::1'), host('fd00:2::1')] });
    expect(names.addressesOf('r2')).toEqual([parseIpv6('fd00:1::1')]);
  });

  it('have each its own gateway, and of forwards its own machines', () => {
    const { names } = joined();
    expect(names.addressesOf('gateway')).toEqual([GATEWAY]);
    expect(names.nameOf(ip('10.0.3.2'))).toBeUndefined();
    expect(names.addressesHere('far')).toEqual([]);
  });

  it('have routers by each name, and nobody else is called so', () => {
    const { names, others } = joined(lease(STRANGER, '10.0.3.18', 'r1'));
    expect(names.addressesOf('r1')).toEqual([ip('10.0.3.1'), ip('10.0.4.1')]);
    expect(others.nameOf(ip('10.0.3.1'))).toBe('r1-lan');
    expect(others.nameOf(ip('10.0.3.18'))).toBeUndefined();
  });
});
