import { describe, expect, it } from 'vitest';
import type { NetdevCard } from '../../src/qemu/netdev-arguments.ts';
import { netdevArguments } from '../../src/qemu/netdev-arguments.ts';
import { parseQemuVersion } from '../../src/qemu/version.ts';

const LISTEN = { kind: 'unix', path: '/run/lan.sock' } as const;
const CONNECT = { kind: 'unix', path: '/run/lan.qemu' } as const;
const TCP = { kind: 'tcp', host: '127.0.0.1', port: 7000 } as const;
const BOTH = { listen: LISTEN, connect: CONNECT };

describe('the words that plug a machine in', () => {
  it.each([
    ['7.2.22', BOTH, 'stream,id=lan,server=on,addr.type=unix,addr.path=/run/lan.qemu'],
    ['8.0.0', BOTH, 'stream,id=lan,server=off,addr.type=unix,addr.path=/run/lan.sock,reconnect=1'],
    ['9.2.0', BOTH, 'stream,id=lan,server=off,addr.type=unix,addr.path=/run/lan.sock,reconnect-ms=1000'],
    ['7.2.22', { listen: LISTEN }, 'stream,id=lan,server=off,addr.type=unix,addr.path=/run/lan.sock'],
    ['9.2.0', { connect: CONNECT }, 'stream,id=lan,server=on,addr.type=unix,addr.path=/run/lan.qemu'],
    ['7.2.22', { listen: TCP }, 'stream,id=lan,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=7000'],
    ['6.2.0', { listen: TCP }, 'socket,id=lan,connect=127.0.0.1:7000'],
    ['6.2.0', { connect: TCP }, 'socket,id=lan,listen=127.0.0.1:7000'],
    ['6.2.0', { listen: { ...TCP, host: '::1' } }, 'socket,id=lan,connect=[::1]:7000'],
  ])('name a netdev that comes back by itself where QEMU %s can', (version, sockets, netdev) => {
    expect(words({ sockets }, version)[1]).toBe(netdev);
  });

  it('give the card its address', () => {
    expect(words({ mac: '52:54:00:12:34:56' }).slice(2)).toEqual([
      '-device',
      'virtio-net-pci,netdev=lan,mac=52:54:00:12:34:56',
    ]);
  });

  it('tell the card an MTU that is not that of Ethernet', () => {
    expect(words({ mtu: 9000 })[3]).toBe('virtio-net-pci,netdev=lan,host_mtu=9000');
  });

  it('name the device that is wished, which is told no MTU where it has no word for it', () => {
    expect(words({ model: 'e1000', mtu: 9000 })[3]).toBe('e1000,netdev=lan');
    expect(words({ model: 'virtio-net-device', mtu: 9000 })[3]).toBe('virtio-net-device,netdev=lan,host_mtu=9000');
  });

  it('double the commas of a path', () => {
    expect(words({ sockets: { listen: { kind: 'unix', path: '/run/a,b.sock' } } }, '7.2.0')[1]).toContain(
      'addr.path=/run/a,,b.sock',
    );
  });

  it('begin an id with a letter', () => {
    expect(words({ name: '10g' })[1]).toContain('id=nic_10g,');
  });

  it('do not exist for a unix socket before QEMU 7.2', () => {
    const result = netdevArguments({ name: 'lan', sockets: BOTH, mtu: 1500 }, parseQemuVersion('version 7.1.0')!);
    expect(result).toMatchObject({ issue: { code: 'qemu-too-old', hint: 'take QEMU 7.2 or later, or a TCP address' } });
  });
});

function words(card: Partial<NetdevCard>, version = '9.2.0'): readonly string[] {
  const result = netdevArguments(
    { name: 'lan', sockets: BOTH, mtu: 1500, ...card },
    parseQemuVersion(`version ${version}`)!,
  );
  return 'words' in result ? result.words : [];
}
