/** What the reading of a lab needs of the machine on which it is read. */
export interface LabSurroundings {
  /** The text of a file, or why it cannot be read. */
  read(file: string): { readonly text: string } | { readonly fault: string };
  /** A variable of the environment; undefined where it is not set. */
  variable(name: string): string | undefined;
  /** Whoever runs the lab may not listen at ports of the host below this one. */
  readonly firstOpenPort: number;
}

/** Of a lab that needs nothing but its own text. */
export const NO_SURROUNDINGS: LabSurroundings = {
  read: () => ({ fault: 'there are no other files' }),
  variable: () => undefined,
  firstOpenPort: 0,
};
