/**
 * `hostfwd`: the rules by which clients of the host reach guests, added and removed while the network runs.
 *
 * A rule is there as a whole or not at all: when one port of its range cannot be had, those that were opened are closed again. What a
 * rule is removed for is its listeners; conversations that came by it go on.
 */
import type { HostNet, StreamTarget } from '../base/host-net.ts';
import { HostNetError } from '../base/host-net.ts';
import type { Ip } from '../wire/ip-address.ts';
import { octetsOf } from '../wire/ip-address.ts';
import type { ForwardListen, HostForward } from './forward-spec.ts';
import { formatForward, formatGuest, forwardKey } from './forward-text.ts';
import type { TcpForwardOutside, TcpForwardStack } from './tcp-forward.ts';
import { openTcpForward } from './tcp-forward.ts';
import type { UdpForward, UdpForwardSpec } from './udp-forward.ts';

export interface HostForwardsOptions extends TcpForwardOutside {
  readonly stack: TcpForwardStack;
  readonly net: HostNet;
  /** The address of a machine of the lab now; undefined where there is none. */
  readonly resolve: (name: string) => Ip | undefined;
  /** `openUdpForward` with the gateway's stack. */
  readonly openUdp: (spec: UdpForwardSpec) => Promise<UdpForward>;
}

/** A rule as it is listed: plain data for people and programs. */
export interface ForwardStatus {
  /** Names the rule as long as it is there. */
  readonly id: string;
  readonly protocol: 'tcp' | 'udp' | 'unix';
  /** Where the host listens, with the real ports: `127.0.0.1:8000-8010`, or a path. */
  readonly listen: string;
  /** `web:80`. */
  readonly guest: string;
  /** The whole rule, as `readForward` reads it. */
  readonly rule: string;
  /** Clients that are connected; undefined of UDP, which has no connections. */
  readonly connections?: number;
}

export class HostForwards {
  readonly #options: HostForwardsOptions;
  readonly #rules = new Map<string, OpenRule>();
  #lastId = 0;
  #isClosed = false;

  constructor(options: HostForwardsOptions) {
    this.#options = options;
  }

  /** Resolves when every port of the rule listens; rejects with a `HostNetError` where one cannot be had. */
  async add(spec: HostForward): Promise<ForwardStatus> {
    const listeners: Listener[] = [];
    try {
      for (const at of placesOf(spec.listen)) listeners.push(await this.#open(spec, at, listeners.length));
    } catch (error) {
      closeAll(listeners);
      throw error;
    }
    if (this.#isClosed) {
      closeAll(listeners);
      throw new HostNetError('cannot-listen', `${forwardKey(spec)}: the network has ended; start it again`);
    }
    const id = `${++this.#lastId}`;
    const rule = { asked: spec, spec: { ...spec, listen: realPlace(spec.listen, listeners[0]!) }, listeners };
    this.#rules.set(id, rule);
    return statusOf(id, rule);
  }

  /** Ends a rule by its id, its key or its whole text, as it is or as it was asked for; false where there is none. Conversations go on. */
  remove(which: string): boolean {
    for (const [id, rule] of this.#rules) {
      const names = [id, forwardKey(rule.spec), formatForward(rule.spec), formatForward(rule.asked)];
      if (!names.includes(which)) continue;
      this.#rules.delete(id);
      closeAll(rule.listeners);
      return true;
    }
    return false;
  }

  /** In the order in which they were added. */
  list(): readonly ForwardStatus[] {
    return [...this.#rules].map(([id, rule]) => statusOf(id, rule));
  }

  /** Ends every rule and takes no more; TCP conversations are the flow table's to end. */
  closeAll(): void {
    this.#isClosed = true;
    for (const { listeners } of this.#rules.values()) closeAll(listeners);
    this.#rules.clear();
  }

  #open(spec: HostForward, at: StreamTarget, index: number): Promise<Listener> {
    const { stack, net, openUdp } = this.#options;
    const { guest: named, showsClient, proxyProtocol } = spec;
    const guest = (): Uint8Array | undefined => {
      const address = typeof named === 'string' ? this.#options.resolve(named) : named;
      return address === undefined ? undefined : octetsOf(address);
    };
    const guestPort = spec.guestPort + index;
    if (at.kind === 'unix' || spec.protocol === 'tcp')
      return openTcpForward({ at, guest, guestPort, proxyProtocol, showsClient }, stack, net, this.#options);
    return openUdp({ at: at.endpoint, guest, guestPort, showsClient });
  }
}

/** One port of a rule. */
interface Listener {
  readonly at: StreamTarget | UdpForward['at'];
  /** Undefined of UDP. */
  readonly connections?: number;
  close(): void;
}

interface OpenRule {
  readonly asked: HostForward;
  /** With the ports that it got. */
  readonly spec: HostForward;
  readonly listeners: readonly Listener[];
}

function closeAll(listeners: readonly Listener[]): void {
  for (const listener of listeners) listener.close();
}

function placesOf(listen: ForwardListen): readonly StreamTarget[] {
  if (listen.kind === 'unix') return [listen];
  const { address, first, last } = listen;
  return Array.from({ length: last - first + 1 }, (_, i) => ({ kind: 'tcp', endpoint: { address, port: first + i } }));
}

/** A port that was asked for as 0 is known now. */
function realPlace(listen: ForwardListen, { at }: Listener): ForwardListen {
  if (listen.kind === 'unix' || listen.first !== 0) return listen;
  const port = 'port' in at ? at.port : at.kind === 'tcp' ? at.endpoint.port : 0;
  return { ...listen, first: port, last: port };
}

function statusOf(id: string, { spec, listeners }: OpenRule): ForwardStatus {
  const key = forwardKey(spec);
  const isUdp = spec.protocol === 'udp';
  return {
    id,
    protocol: spec.listen.kind === 'unix' ? 'unix' : spec.protocol,
    listen: key.slice(key.indexOf(' ') + 1),
    guest: formatGuest(spec),
    rule: formatForward(spec),
    ...(!isUdp && { connections: listeners.reduce((sum, { connections }) => sum + (connections ?? 0), 0) }),
  };
}
