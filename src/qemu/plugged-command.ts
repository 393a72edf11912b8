/**
 * A QEMU command line with cables to vmlan where it had user networks.
 *
 * A `-netdev user` becomes a `stream` netdev of the same name. `-nic` and `-net` take no `stream` (QEMU parses its nested address for
 * `-netdev` only), so there the cable goes into a hub of QEMU, `-nic` into one of its own and `-net` into the one it always has. The
 * card itself stays QEMU's choice, and so does its default address, as long as nobody else is on the network.
 */
import type { SocketAddress } from '../base/socket-address.ts';
import type { CommandPiece, QemuCommand, UserNetwork } from './command-line.ts';
import { netdevOption } from './netdev-arguments.ts';
import type { QemuOption } from './option-string.ts';
import { formatOptionString, parseOptionString } from './option-string.ts';
import type { QemuVersion } from './version.ts';

export interface Plug {
  /** Where vmlan listens. */
  readonly socket: SocketAddress;
  /** Gives an address to each card that was given none: QEMU's own begin at the same one in every machine. */
  readonly freshMac?: () => string;
}

/** The words that start QEMU with `plugs[i]` in place of the command's `i`th network; undefined where this QEMU cannot be plugged in there. */
export function pluggedCommand(
  command: QemuCommand,
  plugs: readonly Plug[],
  version: QemuVersion,
): readonly string[] | undefined {
  const writer = new PluggedWriter(command, plugs, version);
  const words = command.pieces.map((piece) => writer.words(piece));
  return words.includes(undefined) ? undefined : words.flatMap((part) => part!);
}

class PluggedWriter {
  readonly #plugOf: ReadonlyMap<UserNetwork, Plug>;
  readonly #byId: ReadonlyMap<string, Plug>;
  readonly #version: QemuVersion;
  readonly #hubs: Iterator<number>;
  readonly #ids: Iterator<string>;
  readonly #ofNet: Plug | undefined;

  constructor({ pieces, networks }: QemuCommand, plugs: readonly Plug[], version: QemuVersion) {
    const text = pieces.flatMap((piece) => (piece.kind === 'user' ? [piece.network.id ?? ''] : piece.words)).join(' ');
    this.#plugOf = new Map(networks.map((network, i) => [network, plugs[i]!]));
    this.#byId = new Map(
      networks.flatMap((network, i) => (network.form === 'netdev' ? [[network.id!, plugs[i]!]] : [])),
    );
    this.#ofNet = plugs[networks.findIndex(({ form }) => form === 'net')];
    this.#version = version;
    this.#hubs = unused(
      1,
      (hub) => hub,
      (hub) => new RegExp(`\\bhubid"?[=:]\\s*${hub}\\b`).test(text),
    );
    this.#ids = unused(
      0,
      (number) => `vmlan${number}`,
      (id) => text.includes(id),
    );
  }

  words(piece: CommandPiece): readonly string[] | undefined {
    if (piece.kind === 'words') return piece.words;
    if (piece.kind === 'card') return this.#card(piece.option, piece.words);
    const plug = this.#plugOf.get(piece.network)!;
    return this.#cable(piece.network, plug);
  }

  #cable({ form, id, card }: UserNetwork, plug: Plug): readonly string[] | undefined {
    const own = form === 'netdev' ? id! : this.#ids.next().value!;
    const netdev = netdevOption(own, { listen: plug.socket }, this.#version);
    if (netdev === undefined) return undefined;
    if (form === 'netdev') return ['-netdev', netdev];
    const hub = form === 'nic' ? this.#hubs.next().value! : NET_HUB;
    const port = formatOptionString([
      { key: 'hubport' },
      { key: 'id', value: `${own}-port` },
      { key: 'hubid', value: String(hub) },
      { key: 'netdev', value: own },
    ]);
    return [...this.#cardOf(form, id, card, hub, plug), '-netdev', netdev, '-netdev', port];
  }

  /** The card that comes with the network: with `-net` it has words of its own. */
  #cardOf(
    form: UserNetwork['form'],
    id: string | undefined,
    card: readonly QemuOption[],
    hub: number,
    plug: Plug,
  ): readonly string[] {
    if (form === 'default') return ['-net', formatOptionString([{ key: 'nic' }, ...macOption('macaddr', plug)])];
    if (form === 'net') return [];
    const mac = card.some(({ key }) => key === 'mac') ? [] : macOption('mac', plug);
    const name = id === undefined ? [] : [{ key: 'id', value: id }];
    return [
      '-nic',
      formatOptionString([{ key: 'hubport' }, ...name, { key: 'hubid', value: String(hub) }, ...card, ...mac]),
    ];
  }

  /** A card of the user's, with an address where it has none and needs one of its own. */
  #card(option: 'device' | 'net', [word, value]: readonly [string, string]): readonly string[] {
    const key = option === 'device' ? 'mac' : 'macaddr';
    const given = option === 'device' && value.startsWith('{') ? jsonKeys(value) : parseOptionString(value);
    const plug = option === 'device' ? this.#byId.get(textOf(given, 'netdev') ?? '') : this.#ofNet;
    if (plug?.freshMac === undefined || textOf(given, key) !== undefined) return [word, value];
    const mac = plug.freshMac();
    if (!value.startsWith('{')) return [word, `${value},${key}=${mac}`];
    return [word, JSON.stringify({ ...(JSON.parse(value) as object), mac })];
  }
}

/** The hub of all `-net` options (net/net.c). */
const NET_HUB = 0;

function macOption(key: string, { freshMac }: Plug): readonly QemuOption[] {
  return freshMac === undefined ? [] : [{ key, value: freshMac() }];
}

function textOf(options: readonly QemuOption[], wanted: string): string | undefined {
  return options.find(({ key }) => key === wanted)?.value;
}

/** The texts of a device in JSON; none where it is not JSON, about which QEMU has something to say. */
function jsonKeys(text: string): readonly QemuOption[] {
  try {
    const device = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Object.entries(device).flatMap(([key, value]) => (typeof value === 'string' ? [{ key, value }] : []));
  } catch {
    return [];
  }
}

/** Numbers from `first` on, as names that are not taken. */
function* unused<T>(first: number, nameOf: (number: number) => T, isTaken: (name: T) => boolean): Generator<T, never> {
  for (let number = first; ; number++) {
    const name = nameOf(number);
    if (!isTaken(name)) yield name;
  }
}
