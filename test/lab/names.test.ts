import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDomain, isName, nameFrom } from '../../src/lab/names.ts';

describe('names', () => {
  it.each(['a', '7', 'web-1', 'a'.repeat(32)])('may be %s', (name) => {
    expect(isName(name)).toBe(true);
  });

  it.each(['', '-a', 'a-', 'Web', 'web_1', 'a.b', 'ä', 'a'.repeat(33)])('may not be %j', (name) => {
    expect(isName(name)).toBe(false);
  });

  it('made from any text are names', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        const name = nameFrom(text);
        expect(name === undefined || isName(name)).toBe(true);
      }),
    );
  });
});

describe('domain names', () => {
  it.each(['lab', 'lab.internal', '_tcp.example.org', 'a'.repeat(63)])('may be %s', (name) => {
    expect(isDomain(name)).toBe(true);
  });

  it.each(['', '.', 'a..b', '-a.b', 'a-.b', 'a b', 'a'.repeat(64), `${'a.'.repeat(126)}ab`])(
    'may not be %j',
    (name) => {
      expect(isDomain(name)).toBe(false);
    },
  );
});
