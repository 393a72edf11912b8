import { json } from 'node:stream/consumers';
import { ControlError, callControl } from '../control/client.ts';
import { EXIT_FAILURE, EXIT_USAGE, Exit } from './exit.ts';
import { findLab } from './find-lab.ts';
import { print } from './report.ts';

export interface ReloadCommand {
  readonly check?: true;
  readonly json?: true;
}

/** The lab reads its own file; what is wrong with it, or cannot change, comes back with its lines. */
export async function reload(lab: string | undefined, { check, json: asJson }: ReloadCommand): Promise<void> {
  const socket = await findLab(lab, 'NAME');
  const answer = await callControl(socket, 'POST', '/v1/reload', { check: check === true }).catch((error: Error) =>
    refused(error, asJson),
  );
  const { changes } = (await json(answer)) as { changes: readonly string[] };
  if (asJson) print(JSON.stringify({ changes }, undefined, 2));
  else if (changes.length === 0) print('nothing has changed');
  else for (const change of changes) print(change);
}

function refused(error: Error, asJson: true | undefined): never {
  if (!(error instanceof ControlError)) throw error;
  if (asJson) print(JSON.stringify({ error: error.code, message: error.message, issues: error.issues }, undefined, 2));
  else process.stderr.write(`${error.message}\n`);
  throw new Exit(error.issues === undefined ? EXIT_FAILURE : EXIT_USAGE);
}
