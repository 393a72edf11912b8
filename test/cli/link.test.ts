import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LinksAnswer } from '../../src/control/links.ts';
import { runVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

const LAB = `networks:
  lan: { gateway: isolated }
nodes:
  web: { nics: [lan] }
links:
  web: { delay: 20ms, to-guest: { rate: 10mbit } }
`;

describe('the links of a running lab', () => {
  it('are shown, and words that are wrong are refused with status 2', async () => {
    const link = await startedLab();
    const [shown, misspelt, withoutUnit, twoMistakes] = await Promise.all([
      link('show', '--json'),
      link('set', 'web', 'dealy=20ms'),
      link('set', 'web', 'delay=20', 'to-guest'),
      link('set', 'web', 'delay=20', 'loss=200%'),
    ]);
    expect((JSON.parse(shown) as LinksAnswer).links.map(({ port, toGuest }) => [port, toGuest.rate])).toEqual([
      ['web:lan', '10mbit'],
      ['lan:gateway', undefined],
    ]);
    expect(misspelt).toBe('2 vmlan: link set: dealy=20ms is no setting; did you mean delay?\n');
    expect(withoutUnit).toBe('2 vmlan: delay: "20" is not a time; write it as 20ms\n');
    expect(twoMistakes).toBe(
      '2 vmlan: delay: "20" is not a time; write it as 20ms\nvmlan: loss: "200%" is not a share; write it as 1%\n',
    );
  });

  it('are changed, taken down and reset', async () => {
    const link = await startedLab();
    expect(await link('set', 'web', 'loss=1%', 'jitter=5ms', 'from-guest')).toMatch(
      /web:lan +up +delay 20ms jitter 5ms loss 1% +delay 20ms rate 10mbit\n$/,
    );
    expect(await link('down', 'web:lan')).toMatch(/web:lan +down/);
    expect(await link('reset', 'web')).toMatch(/web:lan +down +- +-\n$/);
  });
});

async function startedLab() {
  const bench = new Workbench();
  const file = bench.path('lab.yaml');
  writeFileSync(file, LAB);
  await startVmlan(bench, ['up', file]);
  return async (...words: string[]): Promise<string> => {
    const { stdout, stderr, status } = await runVmlan(bench, ['link', ...words]);
    return status === 0 ? stdout : `${status} ${stderr}`;
  };
}
