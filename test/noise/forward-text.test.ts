import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import type { Issue } from '../../src/base/issue.ts';
import { formatForward, readForward } from '../../src/nat/forward-text.ts';
import { readGuestfwd, readHostfwd } from '../../src/nat/qemu-forward-text.ts';
import { ip } from '../support/stack-peer.ts';

const SEEDS = [
  'tcp 127.0.0.1:8000-8010 -> web:8000 proxy=v2 client=real',
  'unix /run/x.sock -> 10.0.2.15:22',
  'tcp:127.0.0.1:2222-10.0.2.15:22',
  'unix:/run/a-b.sock-:22',
  'tcp:10.0.2.100:1234-cmd:nc 192.0.2.1 80',
  'tcp:10.0.2.100:1234-tcp:192.0.2.1:80',
];
const LETTERS = 'atcp:->.-,*[]=0159 /\n\u00e9';

it('every text is a rule that is written as it is read, or has one issue', () => {
  const random = new SeededRandom(11);
  const counts = { rules: 0, issues: 0 };
  for (let i = 0; i < 6000; i++) {
    const text = mutated(SEEDS[i % SEEDS.length]!, random);
    const issues: Issue[] = [];
    const forward = readForward(text, [], issues);
    const hostfwd = readHostfwd(text, { guest: ip('10.0.2.15'), listensEverywhere: false }, [], issues);
    const guestfwd = readGuestfwd(text, [], issues);
    const rules = [forward, hostfwd, guestfwd].filter((rule) => rule !== undefined).length;
    expect(rules + issues.length).toBe(3);
    if (forward !== undefined) expect(readForward(formatForward(forward), [], [])).toEqual(forward);
    if (hostfwd?.listen.kind === 'ip') expect(readForward(formatForward(hostfwd), [], [])).toEqual(hostfwd);
    counts.rules += rules;
    counts.issues += issues.length;
  }
  expect(counts.rules).toBeGreaterThan(1000);
  expect(counts.issues).toBeGreaterThan(1000);
});

/** The text with up to three letters changed, added or left out. */
function mutated(text: string, random: SeededRandom): string {
  let result = text;
  for (let left = Math.floor(random.next() * 4); left > 0; left--) {
    const at = Math.floor(random.next() * (result.length + 1));
    const letter = random.next() < 0.3 ? '' : LETTERS[Math.floor(random.next() * LETTERS.length)]!;
    result = result.slice(0, at) + letter + result.slice(at + Math.floor(random.next() * 2));
  }
  return result;
}
