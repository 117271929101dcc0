import { Argument, Command } from 'commander'
import { printable } from '../cells.ts'
import { exampleHelp } from '../client-command.ts'
import { candidates, SCRIPTS, type Shell } from '../completion.ts'
import { print } from '../terminal.ts'

export function completionCommand(): Command {
  return new Command('completion')
    .description('print what makes a shell complete commands, flags and queues')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      exampleHelp([
        'sluice completion bash >> ~/.bashrc',
        'sluice completion zsh > "${fpath[1]}/_sluice"',
        'sluice completion fish > ~/.config/fish/completions/sluice.fish',
      ]),
    )
    .action((shell: Shell) => print(SCRIPTS[shell].trimEnd()))
}

/** The output for the scripts: one candidate per line, with a tab before its description. */
export function completeCommand(program: Command): Command {
  return new Command('complete').argument('[words...]').action(async (words: string[]) => {
    for (const { text, about } of await candidates(program, words)) print(`${printable(text)}\t${printable(about)}`)
  })
}
