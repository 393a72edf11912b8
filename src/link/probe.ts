import type { FrameBatch } from './frame-batch.ts';

/** Seen from the LAN's port: frames the guest sent, frames that go to the guest. */
export type Direction = 'from-guest' | 'to-guest';

/** A capture's ear at a port: hears what passes, changes nothing, keeps nothing of the batch. */
export interface Probe {
  hear(direction: Direction, batch: FrameBatch, first: number, end: number): void;
}
