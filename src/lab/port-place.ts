import { nearestWord } from '../base/spelling.ts';
import type { Fault } from './check-addresses.ts';

/** A port of a lab, and the node whose card it is. */
export interface KnownPort {
  readonly port: string;
  readonly node?: string | undefined;
}

/** Finds a port by its name, or by the name of a node that has one card. */
export function findPort<Known extends KnownPort>(text: string, ports: readonly Known[]): Known | Fault {
  const [found, another] = ports.filter(({ port, node }) => port === text || node === text);
  if (found === undefined) {
    const known = ports.map(({ port }) => port);
    const meant = nearestWord(text, [...known, ...ports.flatMap(({ node }) => node ?? [])]);
    const choice = known.length === 0 ? 'there is none yet' : `take one of ${known.join(', ')}`;
    const hint = meant === undefined ? choice : `did you mean ${meant}?`;
    return { code: 'unknown-port', message: `there is no port ${text}`, hint };
  }
  if (another === undefined) return found;
  const own = ports.filter(({ node }) => node === text).map(({ port }) => port);
  return { code: 'ambiguous-port', message: `${text} has several cards`, hint: `take one of ${own.join(', ')}` };
}
