/** Something an operator wrote that cannot be carried out. Issues are data, and all of them are reported at once. */
export interface Issue {
  /** A stable name such as `unknown-network`. */
  readonly code: string;
  /** Where it stands: `['networks', 'lan', 'subnet']`. */
  readonly path: IssuePath;
  /** What is wrong, as a phrase that names the thing. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

export type IssuePath = readonly (string | number)[];

/** The path as people write it: `nodes.web.nics[0].mac`. */
export function formatPath(path: IssuePath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/** One line: `net: the address is not a network; write 10.0.2.0/24`. */
export function formatIssue({ path, message, hint }: Issue): string {
  const place = path.length === 0 ? '' : `${formatPath(path)}: `;
  return `${place}${message}${hint === undefined ? '' : `; ${hint}`}`;
}
