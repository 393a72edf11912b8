/** The ways into a lab's networks: a station of our own in each, by which names are found and connections opened. */
import type { Duplex } from 'node:stream';
import type { Station } from '../../station/station.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { formatIpv4, ipv4Octets, ipv4Of, isOnLink, parseIpv4 } from '../../wire/ipv4-address.ts';
import { ConnectionError, connectionStream } from '../connection-stream.ts';

export type WayFailureReason = 'no-such-name' | 'unreachable' | 'refused' | 'timeout';

/** There is no connection; the message says why. */
export class WayFailure extends Error {
  readonly reason: WayFailureReason;

  constructor(reason: WayFailureReason, message: string) {
    super(message);
    this.name = 'WayFailure';
    this.reason = reason;
  }
}

export class WayIn {
  readonly #lab: string;
  readonly #stations: readonly Station[];

  /** Of several stations the first that can is taken. */
  constructor(lab: string, stations: readonly Station[]) {
    this.#lab = lab;
    this.#stations = stations;
  }

  /** Opens a connection to a host by its name or its address as text; rejects with a `WayFailure`. */
  async connect(host: string, port: number): Promise<Duplex> {
    const address = parseIpv4(host) ?? (await this.#lookUp(host));
    const station = this.#towards(address);
    const where = `${host}${formatIpv4(address) === host ? '' : ` (${formatIpv4(address)})`}, port ${port}`;
    if (station === undefined) throw new WayFailure('unreachable', `no network of ${this.#lab} leads to ${where}`);
    try {
      return await connectionStream((events) => station.connect({ address: ipv4Octets(address), port }, events));
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      throw failureOf(error, where);
    }
  }

  /** The station on the address's own network, or one that has a router. */
  #towards(address: Ipv4): Station | undefined {
    if (isOnlyTheHosts(address)) return undefined;
    const present = this.#stations.filter((station) => station.address !== undefined);
    const neighbour = present.find((station) => isOnLink(station.address!.interface, address));
    return neighbour ?? present.find((station) => station.address!.router !== undefined);
  }

  async #lookUp(name: string): Promise<Ipv4> {
    let hasAnswer = false;
    for (const station of this.#stations.filter(({ address }) => (address?.dns.length ?? 0) > 0)) {
      const found = await station.lookUp(name);
      if (found.kind === 'found') return ipv4Of(found.addresses[0]!);
      hasAnswer ||= found.kind !== 'timeout';
    }
    if (hasAnswer) throw new WayFailure('no-such-name', `${name} is no name that ${this.#lab} knows`);
    throw new WayFailure('no-such-name', `no name server of ${this.#lab} answers about ${name}`);
  }
}

/** 0.0.0.0/8 and 127.0.0.0/8 mean the host itself, whoever says them (RFC 1122, 3.2.1.3). */
function isOnlyTheHosts(address: Ipv4): boolean {
  return address >>> 24 === 0 || address >>> 24 === 127;
}

function failureOf({ end }: ConnectionError, where: string): WayFailure {
  switch (end) {
    case 'refused':
    case 'reset':
      return new WayFailure('refused', `${where} refuses connections`);
    case 'timeout':
      return new WayFailure('timeout', `${where} does not answer`);
    default:
      return new WayFailure('unreachable', `${where} cannot be reached`);
  }
}
