/** Whether a segment belongs to the connection: RFC 9293, 3.10.7.4, first to fourth check, RFC 7323, 5.3, RFC 5961, 3 and 4. */
import type { Millis } from '../../base/time.ts';
import type { DropReason } from '../../link/drops.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';
import type { Receiver } from './receiver.ts';
import type { Timestamps } from './timestamps.ts';

export type Acceptance =
  | 'accepted'
  /** The other side ends it, and proves that it may. */
  | 'reset'
  /** Not taken, and the sender is told where we are. */
  | { readonly challenged: DropReason }
  /** Not taken. */
  | { readonly dropped: DropReason };

const NO_TIMESTAMP: Acceptance = { dropped: 'tcp-no-timestamp' };
const NO_ACK: Acceptance = { dropped: 'tcp-no-ack' };
const STRAY_RESET: Acceptance = { dropped: 'tcp-out-of-window' };
const OLD: Acceptance = { challenged: 'tcp-old-timestamp' };
const OUTSIDE: Acceptance = { challenged: 'tcp-out-of-window' };

/** Sequence numbers that a segment takes. */
export function lengthOf(view: TcpView): number {
  return view.payloadEnd - view.payloadStart + ((view.flags & (SYN | FIN)) === 0 ? 0 : 1);
}

export function judge(view: TcpView, receiver: Receiver, timestamps: Timestamps, now: Millis): Acceptance {
  const { flags, sequence } = view;
  const isReset = (flags & RST) !== 0;
  if (timestamps.isUsed && !isReset) {
    if (!view.hasTimestamps) return NO_TIMESTAMP; // RFC 7323, 3.2
    if (timestamps.isOld(view, now)) return OLD;
  }
  const isInside = receiver.accepts(sequence, lengthOf(view));
  if (isReset) {
    if (sequence === receiver.next) return 'reset';
    return isInside ? OUTSIDE : STRAY_RESET;
  }
  if (!isInside || (flags & SYN) !== 0) return OUTSIDE;
  return (flags & ACK) === 0 ? NO_ACK : 'accepted';
}
