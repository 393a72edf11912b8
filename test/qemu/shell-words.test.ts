import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote, shellSubstitution, splitShellWords } from '../../src/qemu/shell-words.ts';

describe('words for a shell', () => {
  it('stand bare where they can', () => {
    expect(shellQuote(['-netdev', 'stream,id=lan,server=on,addr.path=/run/a.sock'])).toBe(
      '-netdev stream,id=lan,server=on,addr.path=/run/a.sock',
    );
  });

  it('go through a command substitution as they are', () => {
    const words = ['-smbios', "type=1,serial=ds=nocloud-net;s=http://10.0.2.2:8775/it's/"];
    const env = { ...process.env, LINE: shellSubstitution(words) };
    const printed = execFileSync('sh', ['-c', `printf '%s\\0' $(printenv LINE)`], { encoding: 'utf8', env });
    expect(printed.split('\0').slice(0, -1)).toEqual(words);
  });

  it.each(['a b', '*', 'a?', '[a]', ''])('are quoted where a substitution would change them: %j', (word) => {
    expect(splitShellWords(shellSubstitution(['-name', word]))).toEqual(['-name', word]);
  });

  it('are read by a shell as they were', () => {
    const word = fc.string().filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellQuote(words)}`], { encoding: 'utf8' });
        expect(printed.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a line of words', () => {
  it('is split as a shell does', () => {
    expect(splitShellWords(`-cpu host  -append 'a b'\\''c' "d \\"e\\" \\n" f"g"\\ h ''`)).toEqual([
      '-cpu',
      'host',
      '-append',
      "a b'c",
      'd "e" \\n',
      'fg h',
      '',
    ]);
    expect(splitShellWords(' ')).toEqual([]);
  });

  it.each(["a 'b", 'a "b', 'a\\'])('is none where %j stays open', (line) => {
    expect(splitShellWords(line)).toBeUndefined();
  });

  it('comes back from its quotes', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitShellWords(shellQuote(words))).toEqual(words);
      }),
    );
  });
});
