import type { Stack } from '../stack/stack.ts';

/** Something that a station offers to its LAN. */
export interface Service {
  readonly name: string;
  start(stack: Stack): void;
  stop(): void;
}
