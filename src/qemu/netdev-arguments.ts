/**
 * The words that plug a QEMU machine into vmlan: `-netdev` for the cable and `-device` for the card.
 *
 * Whichever side listens, the other must come back by itself after a restart. QEMU 8 and later reconnect, so vmlan listens; QEMU 7.2
 * does not, so QEMU listens and vmlan connects, where it was given such an address. Before 7.2 there is the `socket` netdev, which
 * speaks the same framing over TCP and never reconnects.
 */
import type { Issue } from '../base/issue.ts';
import type { SocketAddress } from '../base/socket-address.ts';
import type { QemuOption } from './option-string.ts';
import { formatOptionString } from './option-string.ts';
import type { QemuVersion } from './version.ts';
import { formatQemuVersion, qemuFeatures } from './version.ts';

/** Where a card and vmlan can meet: at an address where vmlan listens, at one where vmlan connects, or both. */
export interface NetdevSockets {
  readonly listen?: SocketAddress;
  readonly connect?: SocketAddress;
}

export interface NetdevCard {
  /** The card's name; becomes the netdev's id. */
  readonly name: string;
  readonly sockets: NetdevSockets;
  /** As text; QEMU's default where undefined. */
  readonly mac?: string;
  /** The device; virtio-net-pci where undefined. */
  readonly model?: string;
  readonly mtu: number;
}

/** The words for one card, or why this QEMU cannot be plugged in there. */
export function netdevArguments(
  card: NetdevCard,
  version: QemuVersion,
): { readonly words: readonly string[] } | { readonly issue: Issue } {
  const id = netdevId(card.name);
  const netdev = netdevOption(id, card.sockets, version);
  if (netdev === undefined) {
    const message = `QEMU ${formatQemuVersion(version)} has no netdev that reaches this socket`;
    return {
      issue: { code: 'qemu-too-old', path: [card.name], message, hint: 'take QEMU 7.2 or later, or a TCP address' },
    };
  }
  return { words: ['-netdev', netdev, '-device', formatOptionString(deviceOptions(id, card))] };
}

/** What stands behind `-netdev` for a cable named `id`; undefined where this QEMU has none that reaches the socket. */
export function netdevOption(id: string, sockets: NetdevSockets, version: QemuVersion): string | undefined {
  const { hasStreamNetdev } = qemuFeatures(version);
  const netdev = hasStreamNetdev ? streamNetdev(id, sockets, version) : socketNetdev(id, sockets);
  return netdev && formatOptionString(netdev);
}

/** The netdev of a card, as QEMU and QMP know it. QEMU's ids begin with a letter, and names hold no underscore. */
export function netdevId(name: string): string {
  return /^[A-Za-z]/.test(name) ? name : `nic_${name}`;
}

function streamNetdev(
  id: string,
  { listen, connect }: NetdevSockets,
  version: QemuVersion,
): readonly QemuOption[] | undefined {
  const { reconnect } = qemuFeatures(version);
  if (connect !== undefined && (listen === undefined || reconnect === 'none')) {
    return [{ key: 'stream' }, { key: 'id', value: id }, { key: 'server', value: 'on' }, ...addressOptions(connect)];
  }
  if (listen === undefined) return undefined;
  return [
    { key: 'stream' },
    { key: 'id', value: id },
    { key: 'server', value: 'off' },
    ...addressOptions(listen),
    ...RECONNECT[reconnect],
  ];
}

const RECONNECT = {
  none: [],
  seconds: [{ key: 'reconnect', value: '1' }],
  milliseconds: [{ key: 'reconnect-ms', value: '1000' }],
} as const;

function addressOptions(address: SocketAddress): readonly QemuOption[] {
  if (address.kind === 'unix') {
    return [
      { key: 'addr.type', value: 'unix' },
      { key: 'addr.path', value: address.path },
    ];
  }
  return [
    { key: 'addr.type', value: 'inet' },
    { key: 'addr.host', value: address.host },
    { key: 'addr.port', value: String(address.port) },
  ];
}

function socketNetdev(id: string, { listen, connect }: NetdevSockets): readonly QemuOption[] | undefined {
  const head = [{ key: 'socket' }, { key: 'id', value: id }];
  if (listen?.kind === 'tcp') return [...head, { key: 'connect', value: hostAndPort(listen.host, listen.port) }];
  if (connect?.kind === 'tcp') return [...head, { key: 'listen', value: hostAndPort(connect.host, connect.port) }];
  return undefined;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const ETHERNET_MTU = 1500;

/** Only virtio-net tells its guest the MTU. */
function deviceOptions(id: string, { mac, mtu, model = 'virtio-net-pci' }: NetdevCard): readonly QemuOption[] {
  const tellsMtu = mtu !== ETHERNET_MTU && model.startsWith('virtio-net');
  return [
    { key: model },
    { key: 'netdev', value: id },
    ...(mac === undefined ? [] : [{ key: 'mac', value: mac }]),
    ...(tellsMtu ? [{ key: 'host_mtu', value: String(mtu) }] : []),
  ];
}
