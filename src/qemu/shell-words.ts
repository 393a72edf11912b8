/** Words as a POSIX shell reads them: what a shell would split or expand stands in single quotes. */
export function shellQuote(words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

const PLAIN = /^[A-Za-z0-9_/:=.,@%+-]+$/;
