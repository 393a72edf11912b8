/** Words as a POSIX shell reads them: what a shell would split or expand stands in single quotes. */
export function shellQuote(words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/**
 * Words as a shell reads them from an unquoted `$(…)`, where it splits at blanks and looks for names of files, and quotes are letters like
 * others. Words that cannot be said so are quoted, for `eval`.
 */
export function shellSubstitution(words: readonly string[]): string {
  return words.every((word) => UNSPLIT.test(word)) ? words.join(' ') : shellQuote(words);
}

const UNSPLIT = /^[^\s*?[\\]+$/;
const PLAIN = /^[A-Za-z0-9_/:=.,@%+-]+$/;

/** A blank, a part of a word in single quotes, in double quotes, behind a backslash, or plain. */
const PIECE = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y;

/** Splits a line at blanks, and takes quotes and backslashes away; nothing is expanded. Undefined where a quote stays open. */
export function splitShellWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < line.length) {
    const match = PIECE.exec(line);
    if (match === null) return undefined;
    const [, blank, single, double, escaped, plain] = match;
    if (blank === undefined) {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\([\\"$`])/g, '$1') ?? escaped ?? plain);
    } else {
      if (word !== undefined) words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
