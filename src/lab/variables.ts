/**
 * Variables in the values of a lab file, as Compose files write them.
 *
 *     $NAME ${NAME}                 the variable's value; it must be set
 *     ${NAME:-other} ${NAME-other}  `other` where it is not set
 *     ${NAME:+other} ${NAME+other}  `other` where it is set, nothing where it is not
 *     ${NAME:?why} ${NAME?why}      its value; `why` is told where it is not set
 *     $$                            a dollar sign
 *
 * With the colon an empty variable counts as not set. `other` and `why` may hold variables themselves.
 */
import type { Issue } from '../base/issue.ts';

/** Stands in a document for a value whose variables are filled in; whether it is a number or a truth value, its place decides. */
export class FilledText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Stands in a document for a value whose variables could not be filled in. */
export class FaultyText {
  readonly fault: Omit<Issue, 'path'>;

  constructor(fault: Omit<Issue, 'path'>) {
    this.fault = fault;
  }
}

export function substitute(text: string, variable: (name: string) => string | undefined): FilledText | FaultyText {
  const substitution = new Substitution(text, variable);
  const result = substitution.rest(0, true);
  return substitution.fault === undefined ? new FilledText(result) : new FaultyText(substitution.fault);
}

/** How deep `${A:-${B:-…}}` may go. */
const MAX_DEPTH = 16;

/** Reads a text from its beginning to its end, or to its first fault. */
class Substitution {
  fault: Omit<Issue, 'path'> | undefined;
  readonly #text: string;
  readonly #variable: (name: string) => string | undefined;
  #at = 0;

  constructor(text: string, variable: (name: string) => string | undefined) {
    this.#text = text;
    this.#variable = variable;
  }

  /** Up to the brace that closes `depth`. What is not needed is read, but no variable in it is missed. */
  rest(depth: number, isNeeded: boolean): string {
    let result = '';
    while (this.fault === undefined && this.#at < this.#text.length) {
      const letter = this.#text[this.#at]!;
      if (letter === '}' && depth > 0) break;
      if (letter === '$') {
        result += this.#variableHere(depth, isNeeded);
      } else {
        result += letter;
        this.#at++;
      }
    }
    return result;
  }

  #variableHere(depth: number, isNeeded: boolean): string {
    if (this.#take(/\$\$/y) !== undefined) return '$';
    const name = this.#take(/\$[A-Za-z_][A-Za-z0-9_]*/y)?.slice(1);
    if (name !== undefined) return this.#valueOf(name, isNeeded);
    const braced = this.#take(/\$\{[A-Za-z_][A-Za-z0-9_]*/y)?.slice(2);
    if (braced === undefined)
      return this.#refuse('bad-variable', 'no name of a variable follows $', 'write $$ for a dollar sign');
    if (depth === MAX_DEPTH)
      return this.#refuse('bad-variable', 'variables stand too deep in one another', 'write fewer');
    const sign = this.#take(/:?[-+?]/y);
    const result = sign === undefined ? this.#valueOf(braced, isNeeded) : this.#choice(braced, sign, depth, isNeeded);
    if (this.fault === undefined && this.#take(/\}/y) === undefined)
      return this.#refuse(
        'bad-variable',
        `what follows \${${braced} is not understood`,
        `write \${${braced}} or \${${braced}:-default}`,
      );
    return result;
  }

  #choice(name: string, sign: string, depth: number, isNeeded: boolean): string {
    const value = this.#variable(name);
    const isSet = value !== undefined && (value !== '' || !sign.startsWith(':'));
    const isElse = !sign.endsWith('+');
    const other = this.rest(depth + 1, isNeeded && isSet !== isElse);
    if (sign.endsWith('+')) return isSet ? other : '';
    if (isSet) return value;
    if (sign.endsWith('-') || !isNeeded || this.fault !== undefined) return other;
    const why = other === '' ? '' : `: ${other}`;
    return this.#refuse('unset-variable', `the variable ${name} is not set${why}`, SET_IT);
  }

  #valueOf(name: string, isNeeded: boolean): string {
    const value = this.#variable(name);
    if (value !== undefined || !isNeeded) return value ?? '';
    return this.#refuse(
      'unset-variable',
      `the variable ${name} is not set`,
      `${SET_IT}, or write \${${name}:-default}`,
    );
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #refuse(code: string, message: string, hint: string): string {
    this.fault ??= { code, message, hint };
    return '';
  }
}

const SET_IT = 'set it in the environment or in a file .env beside the lab';
