/** Buffers that somebody needs after the call that passed them has returned. */

/** Whose bytes a call lends. They may be changed or reused when the call returns, unless it retained them. */
export interface Lender {
  /** The bytes are needed after the call returned, until the loan is released. Each holder releases once. */
  retain(): Loan;
}

/** A buffer that is needed after the call that passed it returned, by one holder or several. */
export class Loan {
  readonly #bytes: Uint8Array;
  #holders = 0;
  #onReturn: ((bytes: Uint8Array) => void) | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  extend(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#onReturn?.(this.#bytes);
  }

  /** The owner wants the buffer back: `onReturn` is called when the last holder has released it, at once where that is so already. */
  reclaim(onReturn: (bytes: Uint8Array) => void): void {
    this.#onReturn = onReturn;
    if (this.#holders === 0) onReturn(this.#bytes);
  }
}
