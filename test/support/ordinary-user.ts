/** Who runs programs in tests of what users may do: ourselves, or where we are root an account without privileges. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `nobody`, on every Linux. */
const NOBODY = 65_534;
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export interface OrdinaryUser {
  readonly uid: number;
  /** Words before a command that make it this user's. */
  readonly words: readonly string[];
}

/** Root stays root where others may not read the project, or not run this Node. */
export const ordinaryUser: OrdinaryUser = findUser();

function findUser(): OrdinaryUser {
  const uid = process.getuid?.() ?? NOBODY;
  if (uid !== 0) return { uid, words: [] };
  const id = String(NOBODY);
  const words = ['setpriv', '--reuid', id, '--regid', id, '--clear-groups', '--inh-caps=-all', '--'];
  // setpriv(1) itself runs it with the capabilities that root had: what counts is whether the user can run it once more.
  const probe = `require('${PROJECT}package.json'); require('child_process').execFileSync(process.execPath, ['-v'])`;
  const { status } = spawnSync(words[0]!, [...words.slice(1), process.execPath, '-e', probe], { stdio: 'ignore' });
  return status === 0 ? { uid: NOBODY, words } : { uid, words: [] };
}
