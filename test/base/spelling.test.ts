import { describe, expect, it } from 'vitest';
import { nearestWord } from '../../src/base/spelling.ts';

describe('the nearest word', () => {
  it.each([
    ['subnt', 'subnet'],
    ['sunbet', 'subnet'],
    ['gatway', 'gateway'],
    ['LAN', 'lan'],
    ['lna', 'lan'],
  ])('to %s is %s', (word, meant) => {
    expect(nearestWord(word, ['kind', 'subnet', 'gateway', 'lan'])).toBe(meant);
  });

  it.each(['attic', 'x', ''])('is none when %j is far from all', (word) => {
    expect(nearestWord(word, ['kind', 'subnet', 'gateway', 'lan'])).toBeUndefined();
  });
});
