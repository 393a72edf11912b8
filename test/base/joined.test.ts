import { expect, it } from 'vitest';
import { joined } from '../../src/base/joined.ts';

it('pieces stand one after the other', () => {
  expect(joined([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)])).toEqual(Uint8Array.of(1, 2, 3));
  expect(joined([])).toEqual(new Uint8Array(0));
});
