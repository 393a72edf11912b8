/** Names of labs, networks, nodes and cards, and names of domains. */

/** A lab without a name is called as its file: `Office Lab.yaml` is `office-lab`. */
export function labNameOf(fileName: string): string {
  return nameFrom(fileName.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '')) ?? 'lab';
}

/** The name that comes nearest to a text; undefined where nothing of it can stand in a name. */
export function nameFrom(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/^-+|-+$/g, '');
  return name === '' ? undefined : name;
}

/** Names are parts of host names, of ports and of file names. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
export const MAX_NAME_LENGTH = 32;

export function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME_PATTERN.test(text);
}

/** Why a text is no name, with its remedy behind `; `. */
export function badName(text: string): string {
  const form = `a name of at most ${MAX_NAME_LENGTH} small letters, digits and inner hyphens`;
  return `${JSON.stringify(text)} is not ${form}; write ${nameFrom(text) ?? 'web-1'}`;
}

/** RFC 1035, 2.3.4: labels of 1 to 63 octets, 253 in all as text. */
export function isDomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}
