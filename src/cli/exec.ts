/** `vmlan exec` and `vmlan shell`: a command of the host whose network is one of a running lab. */
import { formatIssue, type Issue } from '../base/issue.ts';
import { getControl } from '../control/client.ts';
import type { InsideSettings } from '../host/join/inside.ts';
import { runJoined } from '../host/join/outside.ts';
import { loadSystemCalls } from '../host/system-calls.ts';
import type { LabStatus } from '../lab/status-schemas.ts';
import { parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { EXIT_USAGE, Exit, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { invite } from './invite.ts';
import { started } from './started.ts';

export interface ExecCommand {
  readonly lab?: string;
  /** What the port is called. */
  readonly name?: string;
  /** `10.0.2.50/24`, in place of a lease. */
  readonly address?: string;
  /** The router, with an address of one's own. */
  readonly via?: string;
  readonly dns?: readonly string[];
}

export async function exec(network: string, command: readonly string[], options: ExecCommand): Promise<void> {
  refuse(issuesOf(options));
  if (loadSystemCalls() === undefined)
    fail('joining a network needs Linux and the optional package koffi; npm install koffi');
  const lab = await findLab(options.lab, '--lab NAME');
  const request = { kind: 'exec', ...(options.name !== undefined && { name: options.name }) };
  const { address } = options;
  const own = address === undefined ? dnsOf(options) : await fixedSettings(lab, network, address, options);
  const port = await invite(lab, network, request);
  const status = await started(runJoined(insideWords(), { ...port, ...own, command }));
  if (status !== 0) throw new Exit(status);
}

export async function shell(network: string, options: ExecCommand): Promise<void> {
  await exec(network, [process.env['SHELL'] ?? '/bin/sh'], options);
}

/** This program, told to be the process inside. */
function insideWords(): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1]!, 'exec-inside'];
}

const dnsOf = ({ dns }: ExecCommand) => (dns === undefined ? {} : { dns });

/** Router and name server are the gateway's where nothing else is said. */
async function fixedSettings(
  lab: string,
  network: string,
  address: string,
  { via, dns }: ExecCommand,
): Promise<Pick<InsideSettings, 'fixed' | 'dns'>> {
  const { networks } = await getControl<LabStatus>(lab, '/v1/status');
  const gateway = networks.find(({ name }) => name === network)?.gateway;
  const router = via ?? gateway?.address;
  const server = gateway?.dns?.address;
  return {
    fixed: { interface: address, ...(router !== undefined && { router }) },
    dns: dns ?? (server === undefined ? [] : [server]),
  };
}

function issuesOf({ address, via, dns = [] }: ExecCommand): readonly Issue[] {
  const issues: Issue[] = [];
  const wrong = (option: string, message: string, hint: string) =>
    issues.push({ code: 'bad-value', path: [option], message, hint });
  const isAddress = (text: string) => parseIpv4(text) !== undefined;
  if (address !== undefined && parseIpv4Interface(address) === undefined) {
    wrong('--address', `${address} is no address with the length of its prefix`, 'write 10.0.2.50/24');
  }
  if (via !== undefined && !isAddress(via)) wrong('--via', `${via} is no IPv4 address`, 'write 10.0.2.2');
  if (via !== undefined && address === undefined) {
    wrong('--via', 'DHCP tells the router', 'leave it out, or give --address as well');
  }
  for (const server of dns.filter((text) => !isAddress(text))) {
    wrong('--dns', `${server} is no IPv4 address`, 'write 10.0.2.3');
  }
  return issues;
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  for (const issue of issues) process.stderr.write(`vmlan exec: ${formatIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}
