import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { candidates } from '../../src/cli/complete.ts';
import { program } from '../../src/cli/program.ts';
import { describeWith } from '../support/describe-with.ts';
import { ordinaryUser } from '../support/ordinary-user.ts';
import { PROGRAM, runVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

const LAB = `name: office
networks: { lan: {}, cable: { gateway: none } }
nodes: { web: { nics: [lan] }, db: { nics: [lan, cable] } }
forwards: [tcp 127.0.0.1:0 -> web:80]
`;

/** A running lab, a file of another that does not run, and a command `vmlan` that only says how it was called, but completes as vmlan does. */
async function office(): Promise<Workbench> {
  const bench = new Workbench(ordinaryUser);
  writeFileSync(bench.path('office.yaml'), LAB);
  writeFileSync(bench.path('attic.yaml'), 'networks: { top: {} }\nnodes: { box: { nics: [top] } }\n');
  const node = `'${process.execPath}' '${PROGRAM}'`;
  const script = `case "$1" in complete|completion) exec ${node} "$@";; *) echo "called with: $*";; esac`;
  writeFileSync(bench.path('vmlan'), `#!/bin/sh\n${script}\n`);
  chmodSync(bench.path('vmlan'), 0o755);
  bench.env['PATH'] = `${bench.folder}:${process.env['PATH']}`;
  bench.env['HOME'] = bench.folder;
  await startVmlan(bench, ['up', bench.path('office.yaml')]);
  return bench;
}

it('words, and names of what runs or is in the lab file, are known to vmlan', async () => {
  const bench = await office();
  const cases: Readonly<Record<string, readonly string[]>> = {
    fo: ['forward'],
    'forward r': ['rm'],
    'down ': ['office'],
    'leases o': ['office'],
    'qemu-args ': ['web', 'db'],
    'qemu-args --lab office d': ['db'],
    'qemu-args --lab nowhere ': [],
    'capture db:': ['db:lan', 'db:cable'],
    'capture -w x ': ['lan', 'cable', 'web:lan', 'db:lan', 'lan:gateway', 'db:cable', 'all'],
    'forward add --network ca': ['cable'],
    'forward add --network=ca': ['--network=cable'],
    'exec lan ': [],
    'check ': [],
    'up --j': ['--json'],
    'run -- qemu --j': [],
    'no-such-verb ': [],
    [`qemu-args -f ${bench.path('attic.yaml')} `]: ['box'],
    [`qemu-args --file=${bench.path('none.yaml')} `]: [],
  };
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('XDG_RUNTIME_DIR', bench.env['XDG_RUNTIME_DIR']);
  for (const [line, expected] of Object.entries(cases)) {
    const found = await candidates(program(), line.split(' '));
    expect([line, ...found.map(({ word }) => word)]).toEqual([line, ...expected]);
  }
  const schema = await runVmlan(bench, ['schema']);
  expect(existsSync(fileURLToPath(/^# yaml-language-server: \$schema=(file:.*)\n$/.exec(schema.stdout)![1]!))).toBe(
    true,
  );
});

/** Types into an interactive shell that says `ready>`, and waits until the completed command was called. */
async function type(bench: Workbench, shell: string): Promise<void> {
  const terminal = bench.start('script', ['-qec', shell, '/dev/null']);
  const says = (text: string) => terminal.until(text, () => terminal.stdout.includes(text) || undefined);
  await says('ready>');
  terminal.write(`vmlan capt\tdb:c\t--form\tpcapng -w ${bench.folder}/off\t\r`);
  await says(`called with: capture db:cable --format pcapng -w ${bench.path('office.yaml')}`);
  terminal.write('exit\r');
  await terminal.exited;
}

describeWith(['bash', 'script'], 'bash', () => {
  it('completes at its prompt', async () => {
    const bench = await office();
    writeFileSync(bench.path('.bashrc'), `eval "$(vmlan completion bash)"; PS1='ready>'\n`);
    await type(bench, 'bash --noprofile -i');
  });
});

describeWith(['zsh', 'script'], 'zsh', () => {
  it('completes at its prompt', async () => {
    const bench = await office();
    const rc = `autoload -U compinit; compinit -u -D; eval "$(vmlan completion zsh)"; PS1='ready>'; unsetopt zle_bracketed_paste\n`;
    writeFileSync(bench.path('.zshrc'), rc);
    await type(bench, 'zsh -d -i');
  });
});

describeWith(['fish'], 'fish', () => {
  it('completes what it is asked about', async () => {
    const bench = await office();
    const asked = async (line: string) =>
      (await bench.run('fish', ['--no-config', '-c', `vmlan completion fish | source; complete -C '${line}'`])).stdout;
    expect(await asked('vmlan capture db:')).toBe('db:cable\tport of cable\ndb:lan\tport of lan\n');
    expect(await asked('vmlan forward r')).toBe('rm\tend one; connections that came by it go on\n');
    expect(await asked(`vmlan check ${bench.folder}/off`)).toContain(bench.path('office.yaml'));
  });
});
