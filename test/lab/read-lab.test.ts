import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLabIssue } from '../../src/lab/issue.ts';
import { readLab } from '../../src/lab/read-lab.ts';

const LAB = 'networks: { lan: {} }\nnodes: { vm: { nics: [lan] } }\n';

describe('reading a lab file', () => {
  it('writes an issue as compilers do', () => {
    const text = 'networks:\n  lan: {}\nnodes:\n  vm: { nics: [lna] }\n';
    expect(issueLines(text)).toEqual(['lab.yaml:4:16 nodes.vm.nics[0]: there is no network "lna"; did you mean lan?']);
  });

  it('sorts issues by line, whoever found them', () => {
    const text = 'nodes:\n  vm: { nics: [attic] }\nnetworks:\n  lan: { mtu: 1 }\n  lan: {}\nnam: x\n';
    expect(issueLines(text).map((line) => line.split(' ')[0])).toEqual([
      'lab.yaml:2:16',
      'lab.yaml:5:3',
      'lab.yaml:6:1',
    ]);
  });

  it('says nothing of what follows only from another mistake', () => {
    const text =
      'networks:\n  lan: { subnet: 10.0.2 }\n  cable: 7\nnodes:\n  vm: { nics: [{ network: lan, address: 10.0.2.9 }, cable] }\n';
    expect(issueLines(text)).toHaveLength(2);
  });

  it('checks what is left when one card of a node is wrong', () => {
    const text = `networks: { lan: {} }\nnodes: { vm: { nics: [7, { network: lan, address: 10.9.9.9 }] } }\n`;
    expect(issueLines(text).map((line) => line.split(' ')[1])).toEqual([
      'nodes.vm.nics[0]:',
      'nodes.vm.nics[1].address:',
    ]);
  });

  it.each([
    ['labs/Office Lab.yaml', 'office-lab'],
    ['C:\\labs\\a.b.yml', 'a-b'],
    ['---.yaml', 'lab'],
  ])('names a lab without a name for its file %s', (file, name) => {
    expect(readLab(LAB, file)).toMatchObject({ plan: { name } });
  });

  it('lets a machine be the default router of an isolated network', () => {
    const dhcp = { routers: [0x0a00_0207], routes: [{ gateway: 0x0a00_0207 }] };
    const text = LAB.replace(
      '{}',
      '{ dhcp: { routes: [{ to: 0.0.0.0/0, via: 10.0.2.7 }, { to: 10.9.0.0/16, via: 10.0.2.7 }] } }',
    );
    expect(readLab(text, 'lab.yaml')).toMatchObject({ plan: { networks: [{ gateway: { dhcp } }] } });
  });

  it('takes whatever a text editor may leave behind without throwing', () => {
    const folder = new URL('../../fixtures/labs/', import.meta.url);
    const texts = ['valid', 'invalid'].flatMap((kind) =>
      readdirSync(new URL(kind, folder))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => readFileSync(new URL(`${kind}/${file}`, folder), 'utf8')),
    );
    const scrap = fc.constantFrom(
      '',
      '~',
      '{}',
      '[]',
      '&a',
      '*a',
      '<<: ',
      '? ',
      '"',
      '1',
      '!!set ',
      '- ',
      ': ',
      '\n',
      '__proto__: 1',
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(600), fc.nat(30), scrap, (text, at, length, inserted) => {
        const result = readLab(text.slice(0, at) + inserted + text.slice(at + length), 'lab.yaml');
        expect('plan' in result || result.issues.length > 0).toBe(true);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

function issueLines(text: string): readonly string[] {
  const result = readLab(text, 'lab.yaml');
  return 'issues' in result ? result.issues.map((issue) => formatLabIssue(issue)) : [];
}
