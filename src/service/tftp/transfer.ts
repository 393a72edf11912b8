/**
 * One file on its way to one reader: RFC 1350 with the window of RFC 7440, go-back-N.
 *
 *     blocks    ... acknowledged | in the window: sent, kept for retransmission | not read yet
 *                                 ^ #oldest
 *
 * Retransmission answers a timeout, or an acknowledgement that shows a gap in a window. A repeated acknowledgement of everything
 * before the window is answered once per window at most and never when the window is one block: the answer to each duplicate would
 * double the traffic for the rest of the transfer (RFC 1123, 4.2.3.1, the Sorcerer's Apprentice).
 */
import type { Scheduler, Timer } from '../../base/time.ts';
import type { TftpPacket } from '../../wire/tftp.ts';
import { TFTP_ERROR } from '../../wire/tftp.ts';
import type { FileSource } from './file-source.ts';
import type { TransferOptions } from './options.ts';

/** How often the same packets are sent before the reader is given up. */
const TRIES = 5;

/** Why a transfer ended. */
export type TransferEnd =
  | { readonly kind: 'done'; readonly octets: number }
  | { readonly kind: 'timeout' | 'read-failed' | 'stopped' }
  | { readonly kind: 'peer-error'; readonly code: number; readonly message: string };

/**
 * - `offering`: the OACK is out; ACK 0 ends it.
 * - `sending`: blocks are out; the ACK of the last one ends it.
 * - `ended`: nothing is sent any more.
 */
type State = 'offering' | 'sending' | 'ended';

export class Transfer {
  readonly #options: TransferOptions;
  readonly #source: FileSource;
  readonly #send: (packet: TftpPacket) => void;
  readonly #onEnd: (end: TransferEnd) => void;
  readonly #scheduler: Scheduler;
  readonly #timer: Timer;
  #state: State;
  /** Number of the first block in the window, not wrapped. */
  #oldest = 1;
  readonly #window: Uint8Array[] = [];
  /** The window holds the block that ends the file. */
  #hasLast = false;
  /** A repeated acknowledgement has been answered for this window. */
  #hasGoneBack = false;
  #triesLeft = TRIES;
  #octets = 0;

  constructor(
    options: TransferOptions,
    source: FileSource,
    scheduler: Scheduler,
    send: (packet: TftpPacket) => void,
    onEnd: (end: TransferEnd) => void,
  ) {
    this.#options = options;
    this.#source = source;
    this.#scheduler = scheduler;
    this.#send = send;
    this.#onEnd = onEnd;
    this.#timer = scheduler.timer(() => this.#timedOut());
    this.#state = options.accepted.size > 0 ? 'offering' : 'sending';
  }

  /** The reader has shown that it heard us. */
  get hasBegun(): boolean {
    return this.#oldest > 1 || (this.#state === 'sending' && this.#options.accepted.size > 0);
  }

  start(): void {
    if (this.#state === 'offering') this.#offer();
    else this.fill();
  }

  /** The source has octets again. */
  fill(): void {
    if (this.#state !== 'sending') return;
    const { blockLength, window } = this.#options;
    while (this.#state === 'sending' && this.#window.length < window && !this.#hasLast) {
      const payload = this.#source.take(blockLength);
      if (payload === undefined) return;
      this.#hasLast = payload.length < blockLength;
      this.#window.push(payload);
      this.#sendBlock(this.#window.length - 1);
    }
  }

  receive(packet: TftpPacket): void {
    if (this.#state === 'ended') return;
    if (packet.kind === 'error') this.end({ kind: 'peer-error', code: packet.code, message: packet.message });
    else if (packet.kind === 'ack') this.#acknowledged(packet.block);
    else this.#refuse();
  }

  end(end: TransferEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#timer.cancel();
    this.#window.length = 0;
    this.#source.close();
    if (end.kind === 'read-failed')
      this.#send({ kind: 'error', code: TFTP_ERROR.undefined, message: 'the file cannot be read' });
    this.#onEnd(end);
  }

  #acknowledged(block: number): void {
    if (this.#state === 'offering') {
      if (block !== 0) return;
      this.#state = 'sending';
      this.#progress();
      this.fill();
      return;
    }
    const count = (block - (this.#oldest - 1)) & 0xffff;
    if (count === 0) this.#goBack();
    else if (count <= this.#window.length) this.#advance(count);
  }

  #advance(count: number): void {
    for (const payload of this.#window.splice(0, count)) this.#octets += payload.length;
    this.#oldest += count;
    this.#hasGoneBack = false;
    this.#progress();
    if (this.#hasLast && this.#window.length === 0) {
      this.end({ kind: 'done', octets: this.#octets });
      return;
    }
    // RFC 7440, 4: an acknowledgement inside the window tells that the block after it was lost.
    this.#sendWindow();
    this.fill();
  }

  #goBack(): void {
    if (this.#options.window === 1 || this.#hasGoneBack) return;
    this.#hasGoneBack = true;
    this.#sendWindow();
  }

  /** The reader is there. */
  #progress(): void {
    this.#triesLeft = TRIES;
    this.#timer.cancel();
  }

  #timedOut(): void {
    if (--this.#triesLeft === 0) {
      this.end({ kind: 'timeout' });
      return;
    }
    if (this.#state === 'offering') this.#offer();
    else this.#sendWindow();
  }

  #offer(): void {
    this.#awaitAnswer();
    this.#send({ kind: 'option-ack', options: this.#options.accepted });
  }

  #sendWindow(): void {
    for (let i = 0; i < this.#window.length; i++) this.#sendBlock(i);
  }

  #sendBlock(index: number): void {
    this.#awaitAnswer();
    this.#send({ kind: 'data', block: (this.#oldest + index) & 0xffff, payload: this.#window[index]! });
  }

  #refuse(): void {
    this.#send({
      kind: 'error',
      code: TFTP_ERROR.illegalOperation,
      message: 'only acknowledgements are expected here',
    });
    this.end({ kind: 'peer-error', code: TFTP_ERROR.illegalOperation, message: 'unexpected packet' });
  }

  #awaitAnswer(): void {
    this.#timer.arm(this.#scheduler.now() + this.#options.timeout);
  }
}
