import { expect, it } from 'vitest';
import type { NamespaceProbes } from '../../src/host/user-namespaces.ts';
import { namespaceProblem, realProbes } from '../../src/host/user-namespaces.ts';

const EPERM = 'unshare: unshare failed: Operation not permitted\n';

function problemWith(parameters: Readonly<Record<string, string>>, said: string | undefined = EPERM) {
  const probes: NamespaceProbes = {
    unshare: '/usr/bin/unshare',
    tryUnshare: () => said,
    parameter: (name) => parameters[name],
  };
  return namespaceProblem(probes);
}

it.each([
  ['kernel.unprivileged_userns_clone', '0', '1'],
  ['user.max_user_namespaces', '0', '10000'],
  ['user.max_net_namespaces', '0', '10000'],
  ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
])('%s = %s is named as the reason, and how to allow namespaces', (name, off, on) => {
  const problem = problemWith({ [name]: off })!;
  expect(problem.message).toBe(`this machine lets its users make no user namespaces (${name} is ${off})`);
  expect(problem.hint).toContain(`sudo sysctl -w ${name}=${on}`);
});

it('a reason that no parameter tells is told as unshare says it', () => {
  const fine = { 'kernel.unprivileged_userns_clone': '1', 'user.max_user_namespaces': '10000' };
  expect(problemWith(fine)).toEqual({
    message: `this machine lets its users make no user namespaces (${EPERM.trim()})`,
    hint: expect.stringContaining('seccomp'),
  });
});

it('an unshare that is too old, or not there, is the problem', () => {
  expect(problemWith({}, "unshare: unrecognized option '--keep-caps'")!.hint).toContain('util-linux 2.36');
  expect(namespaceProblem(realProbes('/nowhere'))).toEqual({
    message: 'the program unshare was not found',
    hint: 'install util-linux',
  });
});
