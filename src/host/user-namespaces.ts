/** Namespaces that an ordinary user makes with unshare(1), and why a machine refuses them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findProgram } from './find-program.ts';

/** What a command that joins a network lives in. Whoever runs it stays who they are; the first process ends all others with it. */
export const UNSHARE_OPTIONS = [
  '--user',
  '--map-current-user',
  '--keep-caps',
  '--mount',
  '--net',
  '--pid',
  '--fork',
  '--kill-child',
] as const;

/** Why there are no namespaces: what is wrong, and what to do. */
export interface NamespaceProblem {
  readonly message: string;
  readonly hint: string;
}

/** How the machine is asked; tests ask another. */
export interface NamespaceProbes {
  readonly unshare: string | undefined;
  /** Runs `unshare` with these arguments: what it wrote to standard error, or undefined where it succeeded. */
  tryUnshare(program: string, args: readonly string[]): string | undefined;
  /** A kernel parameter, `kernel.unprivileged_userns_clone`; undefined where there is none. */
  parameter(name: string): string | undefined;
}

/** Undefined where this user may make the namespaces of `UNSHARE_OPTIONS`. */
export function namespaceProblem(probes: NamespaceProbes = realProbes()): NamespaceProblem | undefined {
  const { unshare } = probes;
  if (unshare === undefined) return { message: 'the program unshare was not found', hint: 'install util-linux' };
  const said = probes.tryUnshare(unshare, [...UNSHARE_OPTIONS, 'true']);
  if (said === undefined) return undefined;
  if (/unrecognized option|invalid option/.test(said)) {
    return { message: `${unshare} is too old`, hint: 'take that of util-linux 2.36 or later' };
  }
  const message = 'this machine lets its users make no user namespaces';
  for (const { name, off, on } of PARAMETERS) {
    if (probes.parameter(name) === off)
      return { message: `${message} (${name} is ${off})`, hint: allow(`${name}=${on}`) };
  }
  const hint = 'in a container, start it with a seccomp profile that allows unshare(2) and mount(2)';
  return { message: `${message} (${said.trim()})`, hint };
}

const allow = (setting: string) =>
  `allow them: sudo sysctl -w ${setting}, and to keep that: echo ${setting} | sudo tee /etc/sysctl.d/60-vmlan.conf`;

/** Debian's switch, the kernel's limits, and Ubuntu's restriction by AppArmor. */
const PARAMETERS = [
  { name: 'kernel.unprivileged_userns_clone', off: '0', on: '1' },
  { name: 'user.max_user_namespaces', off: '0', on: '10000' },
  { name: 'user.max_net_namespaces', off: '0', on: '10000' },
  { name: 'user.max_mnt_namespaces', off: '0', on: '10000' },
  { name: 'user.max_pid_namespaces', off: '0', on: '10000' },
  { name: 'kernel.apparmor_restrict_unprivileged_userns', off: '1', on: '0' },
] as const;

export function realProbes(path?: string): NamespaceProbes {
  return {
    unshare: findProgram('unshare', path),
    tryUnshare: (program, args) => {
      const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
      return status === 0 ? undefined : `${error?.message ?? stderr}`;
    },
    parameter: (name) => {
      try {
        return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
      } catch {
        return undefined; // this kernel has no such parameter
      }
    },
  };
}
