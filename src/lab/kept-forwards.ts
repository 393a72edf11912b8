/**
 * Forwards that were added to a running lab, as the document from which the next run of the lab has them again: JSON, rules as people
 * write them, with the ports that they got.
 */
import type { StateFile } from '../base/files.ts';
import type { Log } from '../base/log.ts';

export interface KeptForward {
  readonly network: string;
  readonly rule: string;
}

const VERSION = 1;

export class KeptForwards {
  readonly #file: StateFile;
  readonly #log: Log;
  #forwards: readonly KeptForward[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(file: StateFile, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** Those of the last run. A document that cannot be used is kept aside. */
  async load(): Promise<readonly KeptForward[]> {
    const text = await this.#file.load();
    if (text === undefined) return [];
    const forwards = parse(text);
    if (forwards === undefined) {
      const message = 'the saved forwards cannot be read; they are kept aside and none is known';
      this.#log({ event: 'forwards-unreadable', message });
      await this.#file.setAside();
    }
    this.#forwards = forwards ?? [];
    return this.#forwards;
  }

  /** Resolves when it is on disk, or could not be written: the forward is there all the same. */
  keep(forward: KeptForward): Promise<void> {
    return this.#save([...this.#forwards, forward]);
  }

  /** Resolves like `keep`; with false where none has that rule. */
  async forget(rule: string): Promise<boolean> {
    const others = this.#forwards.filter((forward) => forward.rule !== rule);
    if (others.length === this.#forwards.length) return false;
    await this.#save(others);
    return true;
  }

  /** One after the other, so that the last word stays. */
  #save(forwards: readonly KeptForward[]): Promise<void> {
    this.#forwards = forwards;
    const text = `${JSON.stringify({ version: VERSION, forwards })}\n`;
    this.#saving = this.#saving
      .then(() => this.#file.save(text))
      .catch((error: unknown) => {
        const message = 'forwards cannot be written to disk and are lost at a restart';
        this.#log({ event: 'forwards-not-saved', message, error: String(error) });
      });
    return this.#saving;
  }
}

/** Undefined where the text is not a document of ours. */
function parse(text: string): readonly KeptForward[] | undefined {
  try {
    const { version, forwards } = JSON.parse(text) as { version: unknown; forwards: unknown };
    return version === VERSION && Array.isArray(forwards) && forwards.every(isForward) ? forwards : undefined;
  } catch {
    return undefined; // not JSON, or not an object
  }
}

function isForward(entry: Partial<Record<keyof KeptForward, unknown>> | null): entry is KeptForward {
  return typeof entry?.network === 'string' && typeof entry.rule === 'string';
}
