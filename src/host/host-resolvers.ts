/** The name servers of `/etc/resolv.conf`, resolv.conf(5). */
import { readFileSync, statSync } from 'node:fs';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostResolvers } from '../base/resolvers.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import { addressOctets } from './address-text.ts';

const DNS_PORT = 53;
/** What the resolver asks where the file names nobody, resolv.conf(5). */
const DEFAULT_SERVERS: readonly Endpoint[] = [{ address: new Uint8Array([127, 0, 0, 1]), port: DNS_PORT }];
/** How long an answer is good without a look at the file. */
const FRESH: Millis = 1000;

/** Reads the file when it is asked and the file has changed; looks at most once a second. */
export class FileResolvers implements HostResolvers {
  readonly #scheduler: Scheduler;
  readonly #path: string;
  #lookAgain: Millis = Number.NEGATIVE_INFINITY;
  #version = '';
  #servers = DEFAULT_SERVERS;

  constructor(scheduler: Scheduler, path = '/etc/resolv.conf') {
    this.#scheduler = scheduler;
    this.#path = path;
  }

  servers(): readonly Endpoint[] {
    this.#refresh();
    return this.#servers;
  }

  #refresh(): void {
    const now = this.#scheduler.now();
    if (now < this.#lookAgain) return;
    this.#lookAgain = now + FRESH;
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true });
      const version = `${ino} ${size} ${mtimeNs}`;
      if (version === this.#version) return;
      const servers = serversOf(readFileSync(this.#path, 'utf8'));
      this.#version = version;
      this.#servers = servers.length === 0 ? DEFAULT_SERVERS : servers;
    } catch {
      // A file that is being replaced, or is not there, changes nothing.
    }
  }
}

function serversOf(configuration: string): readonly Endpoint[] {
  return configuration.split('\n').flatMap((line) => {
    const [keyword, value = ''] = line.trim().split(/\s+/);
    const address = keyword === 'nameserver' ? addressOctets(value) : undefined;
    return address === undefined ? [] : [{ address, port: DNS_PORT }];
  });
}
