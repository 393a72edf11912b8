import { describe, expect, it } from 'vitest';
import { FaultyText, substitute } from '../../src/lab/variables.ts';

const VALUES: Readonly<Record<string, string>> = { A: 'one', EMPTY: '', DOLLAR: '$A' };

describe('a variable', () => {
  it.each([
    ['$A ${A} ${A}s', 'one one ones'],
    ['$A-$A.x', 'one-one.x'],
    ['cost: 5$$', 'cost: 5$'],
    ['$${A}', '${A}'],
    ['${A:-x}${A-x}', 'oneone'],
    ['${B:-x}${B-y}', 'xy'],
    ['${EMPTY:-x}|${EMPTY-y}|', 'x||'],
    ['${A:+x}${A+y}${B:+x}${B+y}', 'xy'],
    ['${EMPTY:+x}|${EMPTY+y}', '|y'],
    ['${A:?why}${A?why}${EMPTY?why}', 'oneone'],
    ['${B:-${A}}/${B:-${C-$A}}', 'one/one'],
    ['${A:-${B}}${B:+${B:?never}}', 'one'],
    ['${DOLLAR}', '$A'],
    ['a } b {', 'a } b {'],
    ['${B:-}|${B-a:b-c?d+e}', '|a:b-c?d+e'],
  ])('%s becomes %s', (text, filled) => {
    expect(substitute(text, (name) => VALUES[name])).toEqual({ text: filled });
  });

  it.each([
    ['$B', 'the variable B is not set'],
    ['${B:?it is needed}', 'the variable B is not set: it is needed'],
    ['${EMPTY:?}', 'the variable EMPTY is not set'],
    ['${B?for $A}', 'the variable B is not set: for one'],
    ['${B:-${C}}', 'the variable C is not set'],
    ['${B?${C}}', 'the variable C is not set'],
    ['5$', 'no name of a variable follows $'],
    ['${1}', 'no name of a variable follows $'],
    ['${A', 'what follows ${A is not understood'],
    ['${A:-x', 'what follows ${A is not understood'],
    ['${A:=x}', 'what follows ${A is not understood'],
  ])('%s is refused', (text, message) => {
    const result = substitute(text, (name) => VALUES[name]);
    expect(result instanceof FaultyText && result.fault).toMatchObject({ message, hint: expect.stringMatching(/^\w/) });
  });
});
