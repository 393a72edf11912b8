/** What a command under `vmlan run --network` may ask of a network that others have already: forwards, which go when it ends. */
import { json } from 'node:stream/consumers';
import type { Issue } from '../base/issue.ts';
import { callControl } from '../control/client.ts';
import { formatForward } from '../nat/forward-text.ts';
import { readHostfwd } from '../nat/qemu-forward-text.ts';
import type { UserNetwork } from '../qemu/command-line.ts';
import { givenOptions } from '../qemu/user-options.ts';

export interface SharedSettings {
  readonly capture?: string;
  readonly name?: string;
  readonly slirpListenAll?: true;
}

/** The forwards to add to the lab, as it reads them, and what it cannot be asked for. */
export function sharedRun(
  lab: string,
  networks: readonly UserNetwork[],
  { capture, name, slirpListenAll }: SharedSettings,
): { readonly rules: readonly string[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const rules: string[] = [];
  const refuse = (path: readonly string[], message: string, hint: string) =>
    issues.push({ code: 'shared-network', path, message, hint });
  for (const { label, options } of networks) {
    for (const option of givenOptions(options).filter((given) => given !== 'hostfwd')) {
      const hint = `leave ${option} out, or give it to vmlan serve`;
      refuse([label, option], `the network of ${lab} is as it was started`, hint);
    }
    const path = [label, 'hostfwd'];
    for (const text of options.hostfwd) {
      const rule = readHostfwd(text, { guest: NOBODY, listensEverywhere: slirpListenAll === true }, path, issues);
      if (rule?.guest === NOBODY) {
        refuse(path, `${text} names no guest, and there may be several`, "write the guest's address before its port");
      } else if (rule !== undefined) {
        rules.push(formatForward(rule));
      }
    }
  }
  if (capture !== undefined) {
    refuse(['--capture'], `the network is that of ${lab}`, `vmlan capture lan --lab ${lab} -w ${capture}`);
  }
  if (name !== undefined) refuse(['--name'], `the lab is ${lab}`, 'leave --name or --network out');
  return { rules, issues };
}

/** No guest has the address 0.0.0.0. */
const NOBODY = 0;

/** A forward of the lab, as its control API tells. */
interface AddedForward {
  readonly id: string;
  readonly rule: string;
}

/** Adds the forwards, and removes them when `use` is done. Rejects with a `ControlError` where one cannot be had. */
export async function withForwards<T>(
  control: string,
  rules: readonly string[],
  use: (forwards: readonly AddedForward[]) => Promise<T>,
): Promise<T> {
  const added: AddedForward[] = [];
  try {
    for (const rule of rules) {
      added.push(
        (await json(await callControl(control, 'POST', '/v1/forwards', { rule, lasts: false }))) as AddedForward,
      );
    }
    return await use(added);
  } finally {
    for (const { id } of added) {
      await callControl(control, 'DELETE', `/v1/forwards/${id}`).catch(() => undefined); // the lab may have ended
    }
  }
}
