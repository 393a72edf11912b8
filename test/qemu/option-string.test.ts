import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QemuOption } from '../../src/qemu/option-string.ts';
import { formatOptionString, parseOptionString } from '../../src/qemu/option-string.ts';

const key = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/);
const option: fc.Arbitrary<QemuOption> = fc.oneof(fc.record({ key }), fc.record({ key, value: fc.string() }));

describe("QEMU's option strings", () => {
  it('are keys with values and flags', () => {
    expect(parseOptionString('user,id=n0,net=10.0.2.0/24,ipv6')).toEqual([
      { key: 'user' },
      { key: 'id', value: 'n0' },
      { key: 'net', value: '10.0.2.0/24' },
      { key: 'ipv6' },
    ]);
  });

  it('double the commas of values', () => {
    expect(parseOptionString('tftp=a,,b,bootfile=c')).toEqual([
      { key: 'tftp', value: 'a,b' },
      { key: 'bootfile', value: 'c' },
    ]);
    expect(parseOptionString('tftp=a,,,bootfile=c').map((one) => one.value)).toEqual(['a,', 'c']);
  });

  it('keep an equals sign in a value', () => {
    expect(parseOptionString('bootfile=http://boot/?a=1')).toEqual([{ key: 'bootfile', value: 'http://boot/?a=1' }]);
  });

  it('hold nothing when empty', () => {
    expect(parseOptionString('')).toEqual([]);
  });

  it('read back as they were written', () => {
    const anyOptions = fc.array(option, { minLength: 1 });
    fc.assert(
      fc.property(anyOptions, (options) => {
        expect(parseOptionString(formatOptionString(options))).toEqual(options);
      }),
    );
  });
});
