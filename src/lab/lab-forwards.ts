/** The forwards of a running lab, across its networks: listed, added by a rule that names a machine, and removed. */
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';
import type { Log } from '../base/log.ts';
import { nearestWord } from '../base/spelling.ts';
import { formatForward, forwardKey, readForward } from '../nat/forward-text.ts';
import type { ForwardStatus, HostForwards } from '../nat/host-forwards.ts';
import type { ForwardPlaces } from './forward-place.ts';
import { placeForward } from './forward-place.ts';
import type { KeptForwards } from './kept-forwards.ts';
import type { ForwardEntry } from './status-schemas.ts';

export type AddedForward = { readonly entry: ForwardEntry } | { readonly issue: Issue };

/** What is asked of a network's forwards. */
type NetworkForwards = Pick<HostForwards, 'add' | 'remove' | 'list'>;

export interface LabForwardsOptions {
  readonly places: () => ForwardPlaces;
  /** Those of the networks with a gateway, by name. */
  readonly networks: () => ReadonlyMap<string, NetworkForwards>;
  readonly kept: KeptForwards;
  readonly log: Log;
}

export class LabForwards {
  readonly #options: LabForwardsOptions;

  constructor(options: LabForwardsOptions) {
    this.#options = options;
  }

  /** Those of the plan and those that were added since. */
  list(): readonly ForwardEntry[] {
    return [...this.#options.networks()].flatMap(([network, forwards]) =>
      forwards.list().map((rule) => entryOf(network, rule)),
    );
  }

  /** Opens those that an earlier run of the lab was given, as far as they fit the lab and the host lets them. */
  async restore(): Promise<void> {
    for (const { network, rule } of await this.#options.kept.load()) {
      if (this.list().some((entry) => entry.rule === rule)) continue; // the lab file has it by now
      const why = await this.#open(rule, network).then(
        (added) => ('issue' in added ? formatIssue({ ...added.issue, path: [] }) : undefined),
        (error: Error) => error.message,
      );
      if (why === undefined) continue;
      const message = `forward ${rule} of an earlier run does not come back: ${why}`;
      this.#options.log({ event: 'forward-not-restored', message, network, rule });
    }
  }

  /**
   * Adds a rule, on `network` where that is given; one that lasts is there again when the lab is started anew. Rejects with a
   * `HostNetError` where the host refuses to listen.
   */
  async add(rule: string, network?: string, lasts = true): Promise<AddedForward> {
    const added = await this.#open(rule, network);
    if ('issue' in added) return added;
    const { entry } = added;
    if (lasts) await this.#options.kept.keep({ network: entry.network, rule: entry.rule });
    this.#tell('added', entry);
    return added;
  }

  /**
   * Ends a rule, by its id, by what it listens at (`tcp 127.0.0.1:8080`), or by its text; false where there is none. When the lab is
   * started anew, one that was added is not there; one of the lab file is.
   */
  async remove(which: string): Promise<boolean> {
    const spellings = this.#spellings(which);
    const entry = this.list().find(
      ({ id, rule }) => id === which || spellings.some((text) => text === rule || rule.startsWith(`${text} -> `)),
    );
    if (entry === undefined) return this.#options.kept.forget(which); // it had not come back
    this.#options.networks().get(entry.network)!.remove(entry.rule);
    await this.#options.kept.forget(entry.rule);
    this.#tell('removed', entry);
    return true;
  }

  #tell(change: 'added' | 'removed', { network, rule }: ForwardEntry): void {
    this.#options.log({ event: `forward-${change}`, message: `forward ${rule} is ${change}`, network, rule });
  }

  async #open(rule: string, network: string | undefined): Promise<AddedForward> {
    const networks = this.#options.networks();
    if (network !== undefined && !networks.has(network)) return { issue: this.#unknownNetwork(network) };
    const issues: Issue[] = [];
    const placed = placeForward(rule, this.#options.places(), network, ['rule'], issues);
    const forwards = placed && networks.get(placed.network);
    if (placed === undefined || forwards === undefined) return { issue: issues[0]! };
    return { entry: entryOf(placed.network, await forwards.add(placed.forward)) };
  }

  /** A rule, or its place to listen, as lists write it. */
  #spellings(text: string): readonly string[] {
    const placed = placeForward(text, this.#options.places(), undefined, [], []);
    if (placed !== undefined) return [formatForward(placed.forward)];
    const rule = readForward(`${text} -> 0.0.0.0:1`, [], []);
    return rule === undefined ? [] : [forwardKey(rule)];
  }

  #unknownNetwork(name: string): Issue {
    const known = [...this.#options.networks().keys()];
    const meant = nearestWord(name, known);
    const choice = known.length === 0 ? 'this lab has none' : `take one of ${known.join(', ')}`;
    const hint = meant === undefined ? choice : `did you mean ${meant}?`;
    return { code: 'unknown-network', path: ['network'], message: `there is no network ${name} with a gateway`, hint };
  }
}

function entryOf(network: string, rule: ForwardStatus): ForwardEntry {
  return { ...rule, id: `${network}.${rule.id}`, network };
}
