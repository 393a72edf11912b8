/** Which name servers are asked about a name, and which of them were dead the last time. */
import type { Endpoint } from '../../base/endpoint.ts';
import type { HostResolvers } from '../../base/resolvers.ts';
import type { Millis } from '../../base/time.ts';
import type { DnsConfig } from './dns-config.ts';
import { domainsOf } from './special-names.ts';

/** A server that did not answer is asked last for this long. */
const DEAD_FOR: Millis = 30_000;
/** Servers that are remembered; the host's may change any number of times. */
const REMEMBERED = 256;

export interface UpstreamServer {
  readonly endpoint: Endpoint;
  deadUntil: Millis;
  /** It refuses EDNS: it is asked without. */
  isPlain: boolean;
}

export class Servers {
  readonly #routes: ReadonlyMap<string, readonly Endpoint[]>;
  readonly #upstream: readonly Endpoint[] | undefined;
  readonly #resolvers: HostResolvers;
  /** By address and port. */
  readonly #known = new Map<string, UpstreamServer>();

  constructor({ routes, upstream }: Pick<DnsConfig, 'routes' | 'upstream'>, resolvers: HostResolvers) {
    this.#routes = new Map(routes.map(({ domain, servers }) => [domain.toLowerCase().replace(/\.$/, ''), servers]));
    this.#upstream = upstream;
    this.#resolvers = resolvers;
  }

  /** In the order in which they are asked: the longest domain's, those that lived the last time first. */
  for(name: string, now: Millis): readonly UpstreamServer[] {
    const servers = this.#endpointsFor(name).map(
      (endpoint) => this.#known.get(textOf(endpoint)) ?? this.#learn(endpoint),
    );
    if (servers.every(({ deadUntil }) => deadUntil <= now)) return servers;
    return [
      ...servers.filter((server) => server.deadUntil <= now),
      ...servers.filter((server) => server.deadUntil > now),
    ];
  }

  #endpointsFor(name: string): readonly Endpoint[] {
    if (this.#routes.size > 0)
      for (const domain of domainsOf(name)) {
        const servers = this.#routes.get(domain);
        if (servers !== undefined) return servers;
      }
    return this.#upstream ?? this.#resolvers.servers();
  }

  #learn(endpoint: Endpoint): UpstreamServer {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const server = { endpoint, deadUntil: Number.NEGATIVE_INFINITY, isPlain: false };
    this.#known.set(textOf(endpoint), server);
    return server;
  }

  /** Those that were asked and did not answer. */
  dead(now: Millis): number {
    return [...this.#known.values()].filter(({ deadUntil }) => deadUntil > now).length;
  }
}

export function bury(server: UpstreamServer, now: Millis): void {
  server.deadUntil = now + DEAD_FOR;
}

function textOf({ address, port }: Endpoint): string {
  return `${address.join('.')}#${port}`;
}
