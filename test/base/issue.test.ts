import { describe, expect, it } from 'vitest';
import { formatIssue, formatPath } from '../../src/base/issue.ts';

describe('an issue', () => {
  it('is one line: place, message, remedy', () => {
    expect(
      formatIssue({ code: 'c', path: ['nodes', 'web', 'nics', 0, 'mac'], message: 'taken', hint: 'take another' }),
    ).toBe('nodes.web.nics[0].mac: taken; take another');
  });

  it('may lack place and remedy', () => {
    expect(formatIssue({ code: 'c', path: [], message: 'the lab is empty' })).toBe('the lab is empty');
  });

  it('has a path that begins with whatever comes first', () => {
    expect(formatPath([1, 'a', 2])).toBe('[1].a[2]');
  });
});
