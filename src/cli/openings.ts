/** What a lab opens between guests and the host, told when it starts: ports of the host for guests, and forwards to guests. */
import type { Log } from '../base/log.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import type { NetworkStatus } from '../lab/status-schemas.ts';
import { print } from './report.ts';

/** Sentences for people, or an event for each. */
export function tellOpenings(lab: RunningLab, jsonLog: Log | undefined): void {
  const { networks, forwards } = lab.status();
  for (const network of networks) {
    const hostAccess = network.gateway?.nat?.hostAccess ?? [];
    const message = hostAccessSentence(network);
    if (message === undefined) continue;
    if (jsonLog === undefined) print(message);
    else jsonLog({ event: 'host-access', message, network: network.name, hostAccess });
  }
  for (const forward of forwards) {
    const message = `Forward ${forward.id}: ${forward.rule}`;
    if (jsonLog === undefined) print(message);
    else jsonLog({ event: 'forward', message, ...forward });
  }
}

/** Undefined where guests reach nothing of the host's loopback. */
export function hostAccessSentence({ name, gateway }: NetworkStatus): string | undefined {
  const hostAccess = gateway?.nat?.hostAccess ?? [];
  if (gateway === undefined || hostAccess.length === 0) return undefined;
  const what = hostAccess === 'all' ? 'every port' : hostAccess.join(', ');
  return `Guests of ${name} reach ${what} of this host's loopback at ${gateway.address}.`;
}
