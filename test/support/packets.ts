import { readFileSync } from 'node:fs';
import { hex } from './frames.ts';

/** The frame in `fixtures/packets/NAME.hex`. */
export function packet(name: string): Uint8Array {
  return hex(readFileSync(new URL(`../../fixtures/packets/${name}.hex`, import.meta.url), 'utf8'));
}
