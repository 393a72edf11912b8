import { describe, expect, it } from 'vitest';
import type { EgressConfig, EgressVerdict } from '../../src/policy/egress.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { formatEndpoint } from '../../src/wire/endpoint-text.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { parseIpv6Interface, parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import { ip6 } from '../support/ipv6-peer.ts';
import { octets } from '../support/stack-peer.ts';

const GATEWAY = parseIpv4Interface('10.0.2.2/24')!;

function decide(
  to: string,
  port: number,
  config: Partial<EgressConfig> = {},
  protocol: 'tcp' | 'udp' | 'echo' = 'udp',
) {
  const open = { isRestricted: false, hostAccess: [], allowsMetadata: false, gateway: GATEWAY };
  return said(new EgressPolicy({ ...open, ...config }).decide(protocol, { address: octets(to), port }));
}

function said(verdict: EgressVerdict): string {
  return verdict.kind === 'refused' ? verdict.reason : `${verdict.to.address.join('.')}:${verdict.to.port}`;
}

describe('an egress policy', () => {
  it.each(['8.8.8.8', '192.168.1.1', '100.100.100.201', '1.0.0.1', '223.255.255.255'])('lets %s be reached', (to) => {
    expect(decide(to, 53)).toBe(`${to}:53`);
  });

  it.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '224.0.0.1', '240.0.0.1', '255.255.255.255', '10.0.2.77'])(
    'knows that %s is no host elsewhere',
    (to) => {
      expect(decide(to, 53)).toBe('egress-no-host');
    },
  );

  it.each(['169.254.169.254', '169.254.0.1', '100.100.100.200', '192.0.0.192', '168.63.129.16'])(
    'keeps metadata at %s away, unless it is allowed',
    (to) => {
      expect(decide(to, 80)).toBe('egress-metadata');
      expect(decide(to, 80, { allowsMetadata: true })).toBe(`${to}:80`);
    },
  );

  it.each(['8.8.8.8', '10.0.2.2', '169.254.169.254'])('restricts %s as everything else', (to) => {
    const config = { isRestricted: true, hostAccess: 'all', allowsMetadata: true } as const;
    expect(decide(to, 53, config)).toBe('egress-restricted');
  });

  describe('at the gateway’s address', () => {
    it('is closed by default', () => {
      expect(decide('10.0.2.2', 8000)).toBe('egress-host-closed');
    });

    it('opens the host’s loopback for everything', () => {
      expect(decide('10.0.2.2', 8000, { hostAccess: 'all' })).toBe('127.0.0.1:8000');
    });

    it.each([
      { port: 7999, protocol: 'udp', verdict: 'egress-host-closed' },
      { port: 8000, protocol: 'udp', verdict: '127.0.0.1:8000' },
      { port: 8001, protocol: 'udp', verdict: '127.0.0.1:8001' },
      { port: 8002, protocol: 'udp', verdict: 'egress-host-closed' },
      { port: 8000, protocol: 'tcp', verdict: 'egress-host-closed' },
      { port: 0, protocol: 'echo', verdict: 'egress-host-closed' },
    ] as const)('opens what is named: $protocol $port is $verdict', ({ port, protocol, verdict }) => {
      const hostAccess = [{ protocol: 'udp', first: 8000, last: 8001 }] as const;
      expect(decide('10.0.2.2', port, { hostAccess }, protocol)).toBe(verdict);
    });
  });

  describe('of IPv6', () => {
    const gateways = {
      ipv6Gateway: parseIpv6Interface('fd00:1::1/64')!,
      nat64: parseIpv6Prefix('2001:db8:64::/96')!,
    };
    const decide6 = (to: string, port: number, config: Partial<EgressConfig> = {}) => {
      const open = { isRestricted: false, hostAccess: [], allowsMetadata: false, gateway: GATEWAY, ...gateways };
      const verdict = new EgressPolicy({ ...open, ...config }).decide('tcp', { address: ip6(to), port });
      return verdict.kind === 'refused' ? verdict.reason : formatEndpoint(verdict.to);
    };

    it.each(['2001:db8::7', 'fd00:2::9', '64:ff9b::808:808'])('lets %s be reached', (to) => {
      expect(decide6(to, 80)).toBe(`[${to}]:80`);
    });

    it.each(['::', '::1', '::ffff:10.0.0.1', 'fe80::2', 'ff02::1', 'fd00:1::77'])(
      'knows that %s is no host elsewhere',
      (to) => {
        expect(decide6(to, 80)).toBe('egress-no-host');
      },
    );

    it.each([
      'fd00:ec2::254',
      'fd00:ec2::23',
      'fd20:ce::254',
      'fd00:42::42',
      '64:ff9b::a9fe:a9fe',
      '2001:db8:64::a9fe:a9fe',
    ])('keeps metadata at %s away', (to) => {
      expect(decide6(to, 80)).toBe('egress-metadata');
    });

    it.each(['fd00:ec3::254', 'fd20:ce::253'])('lets %s, beside metadata, be reached', (to) => {
      expect(decide6(to, 80)).toBe(`[${to}]:80`);
    });

    it('opens the host’s loopback at the gateway’s address as far as that is open', () => {
      expect(decide6('fd00:1::1', 80)).toBe('egress-host-closed');
      expect(decide6('2001:db8:64::7f00:1', 80)).toBe('egress-host-closed');
      expect(decide6('fd00:1::1', 80, { hostAccess: 'all' })).toBe('[::1]:80');
      expect(decide6('fd00:1::1', 80, { hostAccess: 'all', isRestricted: true })).toBe('egress-restricted');
    });

    it.each([
      ['2001:db8:64::808:808', '8.8.8.8:80'],
      ['2001:db8:64::a00:202', '127.0.0.1:80'],
      ['2001:db8:64::7f00:1', '127.0.0.1:80'],
      ['2001:db8:64::7f00:2', 'egress-no-host'],
      ['2001:db8:64::a00:24d', 'egress-no-host'],
    ])('takes %s for the IPv4 address that it embeds', (to, verdict) => {
      expect(decide6(to, 80, { hostAccess: 'all' })).toBe(verdict);
    });
  });
});
