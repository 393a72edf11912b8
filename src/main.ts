#!/usr/bin/env node
/** The executable. A verb's module is loaded when the verb is run, so that `vmlan serve` is ready at once. */
import { program } from './cli/program.ts';

await program().parseAsync();
