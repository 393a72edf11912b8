/** Names of files as texts; a folder ends in `/`, and `''` is the one where a name is meant from. */

/** The folder that a file lies in: `labs/` of `labs/office.yaml`. */
export function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}

/** A name that is meant from `folder`. */
export function inFolder(folder: string, name: string): string {
  return plainPath(name.startsWith('/') ? name : folder + name);
}

/** Whether two names, as written, are one file: `./a.pcapng` and `a.pcapng` are. */
export function samePath(a: string, b: string): boolean {
  return plainPath(a) === plainPath(b);
}

function plainPath(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    const isUp = step === '..' && steps.length > 0 && steps.at(-1) !== '..';
    if (isUp) steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  }
  return (path.startsWith('/') ? '/' : '') + steps.join('/');
}
