/** What a connection has of the layer that it belongs to. */
import type { Millis } from '../../base/time.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';
import type { Mac } from '../../wire/mac.ts';
import type { Connection } from './connection.ts';
import type { Deadlines } from './deadlines.ts';
import type { Secret } from './isn.ts';
import type { OutOfOrderBudget } from './receive-queue.ts';
import type { WindowBudget } from './receiver.ts';
import type { SegmentArrives } from './segment-arrives.ts';
import type { SegmentWriter } from './segment-out.ts';
import type { SendBudget } from './send-budget.ts';
import type { BlockPool } from './send-buffer.ts';

export interface ConnectionHost {
  /** The time of the batch, the call or the timer that is being handled. */
  readonly now: Millis;
  readonly secret: Secret;
  readonly blocks: BlockPool;
  readonly sending: SendBudget;
  readonly windows: WindowBudget;
  readonly outOfOrder: OutOfOrderBudget;
  readonly deadlines: Deadlines;
  readonly writer: SegmentWriter;
  readonly arrives: SegmentArrives;
  /** The connection's `output` is called when the batch or the call is over. */
  touch(connection: Connection): void;
  /** Octets of the batch are for the connection. */
  record(connection: Connection, batch: FrameBatch, start: number, end: number): void;
  /** What was recorded for it is handed on now. */
  deliver(connection: Connection): void;
  /** Octets that may be sent to `mac` in this turn. */
  allowance(mac: Mac): number;
  /** So many were sent to `mac`. */
  spent(mac: Mac, octets: number): void;
  /** More waits than may be sent to `mac` now. */
  holdBack(connection: Connection, mac: Mac): void;
  /** Sends RST; `acknowledgment` is left out where it is undefined. */
  reset(connection: Connection, sequence: number, acknowledgment: number | undefined): void;
  /** The handshake is complete. */
  completed(connection: Connection): void;
  /** A handshake made room for another; its SYN is gone, so it is only counted. */
  evicted(): void;
  /** Both sides have finished; the connection only keeps its place. */
  lingers(connection: Connection): void;
  /** The connection is over, its place is free. */
  forget(connection: Connection): void;
}
