/** The forwards of a running lab, across its networks: listed, added by a rule that names a machine, and removed. */
import type { Issue } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import { formatForward, forwardKey, readForward } from '../nat/forward-text.ts';
import type { ForwardStatus, HostForwards } from '../nat/host-forwards.ts';
import type { ForwardPlaces } from './forward-place.ts';
import { placeForward } from './forward-place.ts';
import type { ForwardEntry } from './status-schemas.ts';

export type AddedForward = { readonly entry: ForwardEntry } | { readonly issue: Issue };

/** What is asked of a network's forwards. */
type NetworkForwards = Pick<HostForwards, 'add' | 'remove' | 'list'>;

export class LabForwards {
  readonly #places: ForwardPlaces;
  readonly #networks: ReadonlyMap<string, NetworkForwards>;

  /** `networks`: those with a gateway, by name. */
  constructor(places: ForwardPlaces, networks: ReadonlyMap<string, NetworkForwards>) {
    this.#places = places;
    this.#networks = networks;
  }

  list(): readonly ForwardEntry[] {
    return [...this.#networks].flatMap(([network, forwards]) => forwards.list().map((rule) => entryOf(network, rule)));
  }

  /** Adds a rule, on `network` where that is given; rejects with a `HostNetError` where the host refuses to listen. */
  async add(rule: string, network: string | undefined): Promise<AddedForward> {
    if (network !== undefined && !this.#networks.has(network)) return { issue: this.#unknownNetwork(network) };
    const issues: Issue[] = [];
    const placed = placeForward(rule, this.#places, network, ['rule'], issues);
    const forwards = placed && this.#networks.get(placed.network);
    if (placed === undefined || forwards === undefined) return { issue: issues[0]! };
    return { entry: entryOf(placed.network, await forwards.add(placed.forward)) };
  }

  /** Ends a rule by its id, by what it listens at (`tcp 127.0.0.1:8080`), or by its text; false where there is none. */
  remove(which: string): boolean {
    const id = /^(.+)\.(\d+)$/.exec(which);
    if (id !== null && this.#networks.get(id[1]!)?.remove(id[2]!) === true) return true;
    return this.#spellings(which).some((text) =>
      [...this.#networks.values()].some((forwards) => forwards.remove(text)),
    );
  }

  /** A rule, or its place to listen, as lists write it. */
  #spellings(text: string): readonly string[] {
    const placed = placeForward(text, this.#places, undefined, [], []);
    if (placed !== undefined) return [formatForward(placed.forward)];
    const rule = readForward(`${text} -> 0.0.0.0:1`, [], []);
    return rule === undefined ? [] : [forwardKey(rule)];
  }

  #unknownNetwork(name: string): Issue {
    const known = [...this.#networks.keys()];
    const meant = nearestWord(name, known);
    const choice = known.length === 0 ? 'this lab has none' : `take one of ${known.join(', ')}`;
    const hint = meant === undefined ? choice : `did you mean ${meant}?`;
    return { code: 'unknown-network', path: ['network'], message: `there is no network ${name} with a gateway`, hint };
  }
}

function entryOf(network: string, rule: ForwardStatus): ForwardEntry {
  return { ...rule, id: `${network}.${rule.id}`, network };
}
