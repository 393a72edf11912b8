/** ip(8) of iproute2, which speaks rtnetlink for us. */
import { spawnSync } from 'node:child_process';
import { findProgram } from '../find-program.ts';
import { StartError } from '../start-error.ts';

/** Where systems keep it that leave their users' `PATH` without administrators' programs. */
const OTHER_FOLDERS = ['/usr/sbin', '/sbin'];

export function findIp(path?: string): string | undefined {
  return findProgram('ip', path, OTHER_FOLDERS);
}

/** Runs the orders, one a line without the word `ip`; throws a `StartError` where one fails. The program has `fd`, where given, as its 3. */
export function ip(orders: readonly string[], fd?: number): void {
  const program = findIp();
  if (program === undefined) {
    throw new StartError('no-ip', 'the program ip was not found; install iproute2 (Arch, Debian) or iproute (Fedora)');
  }
  const stdio = ['pipe', 'ignore', 'pipe', ...(fd === undefined ? [] : [fd])] as const;
  const input = orders.map((order) => `${order}\n`).join('');
  const { status, stderr, error } = spawnSync(program, ['-batch', '-'], { stdio: [...stdio], input });
  if (status !== 0) throw new StartError('ip-failed', `ip refused (${error?.message ?? said(stderr)})`);
}

const said = (output: Buffer) => output.toString().trim().replaceAll('\n', '; ');
