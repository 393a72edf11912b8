import type { Counters } from '../../base/counters.ts';
import type { StateFile } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { AddressText } from './lease-document.ts';
import { formatLeases, parseLeases } from './lease-document.ts';
import type { Lease, LeaseTable } from './leases.ts';

/** Keeps a lease table on disk: one save at a time, and whoever asks meanwhile shares the next one. */
export class LeaseStore<Address extends number | bigint> {
  readonly #file: StateFile | undefined;
  readonly #leases: LeaseTable<Address>;
  readonly #text: AddressText<Address>;
  readonly #counters: Counters;
  readonly #log: Log;
  #waiting: (() => void)[] = [];
  #saving: Promise<void> | undefined;

  constructor(
    file: StateFile | undefined,
    leases: LeaseTable<Address>,
    text: AddressText<Address>,
    counters: Counters,
    log: Log,
  ) {
    this.#file = file;
    this.#leases = leases;
    this.#text = text;
    this.#counters = counters;
    this.#log = log;
  }

  /** Fills the table from disk. A document that cannot be used is kept aside and the table stays empty. */
  async load(now: number): Promise<void> {
    const text = await this.#file?.load();
    if (this.#file === undefined || text === undefined) return;
    const leases: readonly Lease<Address>[] | undefined = parseLeases(text, this.#text);
    if (leases === undefined) {
      this.#counters.add('leases-unreadable');
      this.#log({
        event: 'leases-unreadable',
        message: 'the saved leases cannot be read; they are kept aside and none is known',
      });
      await this.#file.setAside();
      return;
    }
    for (const lease of leases) this.#leases.restore(lease, now);
  }

  /** Calls `saved` when the table as it is now is on disk, or could not be written: clients get their lease all the same. */
  save(saved: () => void): void {
    if (this.#file === undefined) {
      saved();
      return;
    }
    this.#waiting.push(saved);
    this.#saving ??= this.#saveAll(this.#file);
  }

  /** Resolves when every save that was asked for is done. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  async #saveAll(file: StateFile): Promise<void> {
    while (this.#waiting.length > 0) {
      const served = this.#waiting;
      this.#waiting = [];
      try {
        await file.save(formatLeases(this.#leases.leases, this.#text));
      } catch (error) {
        this.#counters.add('lease-not-saved');
        this.#log({
          event: 'lease-not-saved',
          message: 'leases cannot be written to disk and are lost at a restart',
          error: String(error),
        });
      }
      for (const saved of served) saved();
    }
    this.#saving = undefined;
  }
}
