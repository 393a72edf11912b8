import { describe, expect, it } from 'vitest';
import {
  formatRate,
  formatShare,
  formatTime,
  parseRate,
  parseShare,
  parseTime,
} from '../../src/lab/impairment-text.ts';

describe('a time', () => {
  it.each([
    ['20ms', 20, '20ms'],
    ['1.5s', 1500, '1.5s'],
    ['250us', 0.25, '250us'],
    ['0.1ms', 0.1, '100us'],
    ['2sec', 2000, '2s'],
    ['3MSECS', 3, '3ms'],
    ['0', 0, '0ms'],
    ['4294s', 4_294_000, '4294s'],
  ])('%s is %d milliseconds, and written as %s', (text, millis, written) => {
    expect(parseTime(text)).toBe(millis);
    expect(formatTime(millis)).toBe(written);
    expect(parseTime(written)).toBe(millis);
  });

  it.each(['', '20', '20 ms', '-1ms', '1e3ms', '1min', 'ms', '.5s', '4295s', '1ns'])('%j is none', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe('a share', () => {
  it.each([
    ['1%', 0.01],
    ['0.3%', 0.003],
    ['100%', 1],
  ])('%s is %d, and written so', (text, share) => {
    expect(parseShare(text)).toBeCloseTo(share, 12);
    expect(formatShare(share)).toBe(text);
  });

  it.each(['', '1', '0.5', '101%', '-1%', '1 %'])('%j is none', (text) => {
    expect(parseShare(text)).toBeUndefined();
  });
});

describe('a rate', () => {
  it.each([
    ['10mbit', 10e6, '10mbit'],
    ['1.5Gbit', 1.5e9, '1.5gbit'],
    ['512kibit', 524_288, '524.288kbit'],
    ['100bit', 100, '100bit'],
    ['1mbps', 8e6, '8mbit'],
    ['2MiBps', 2 * 8 * 1024 * 1024, '16.777216mbit'],
    ['1tbit', 1e12, '1tbit'],
  ])('%s is %d bits per second, and written as %s', (text, bits, written) => {
    expect(parseRate(text)).toBe(bits);
    expect(formatRate(bits)).toBe(written);
    expect(parseRate(written)).toBe(bits);
  });

  it.each(['', '10', '10m', '10 mbit', '10mb', '-1bit', '5%', '10mbits'])('%j is none', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });
});
