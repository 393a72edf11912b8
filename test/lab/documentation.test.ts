import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readLab } from '../../src/lab/read-lab.ts';
import { NO_SURROUNDINGS } from '../../src/lab/surroundings.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('the labs in the README are well', () => {
  const labs = [...read('README.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
  expect(labs.length).toBeGreaterThan(0);
  const byName = new Map(labs.map((text) => [/^# (\S+\.yaml)/.exec(text)?.[1], text]));
  const file = (name: string) => ({ text: byName.get(name) ?? expect.unreachable() });
  for (const text of labs)
    expect(readLab(text, 'readme.yaml', { ...NO_SURROUNDINGS, read: file })).toHaveProperty('plan');
});

const examples = readdirSync(new URL('../../examples', import.meta.url), { recursive: true, encoding: 'utf8' });

it.each(examples.filter((name) => name.endsWith('.yaml') && !name.startsWith('parts')))(
  'the example %s is well',
  (name) => {
    const surroundings = { ...NO_SURROUNDINGS, read: (file: string) => ({ text: read(file) }), variable };
    expect(readLab(read(`examples/${name}`), `examples/${name}`, surroundings)).toHaveProperty('plan');
  },
);

/** What examples cannot know. */
function variable(name: string): string | undefined {
  return { VMLAN_GUEST_KERNEL: 'vmlinuz', VMLAN_GUEST_INITRD: 'initrd' }[name];
}
