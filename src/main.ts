#!/usr/bin/env node
/** The executable. A verb's module is loaded when the verb is run, so that `vmlan serve` is ready at once. */
import { runProgram } from './cli/exit.ts';
import { program } from './cli/program.ts';

await runProgram(() => program().parseAsync());
