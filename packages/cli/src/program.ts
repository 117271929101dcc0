import { styleText } from 'node:util'
import { Command, CommanderError } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { printable } from './cells.ts'
import { exampleHelp } from './client-command.ts'
import { backupCommand } from './commands/backup.ts'
import { brokerCommand } from './commands/broker.ts'
import { cancelCommand } from './commands/cancel.ts'
import { completeCommand, completionCommand } from './commands/completion.ts'
import { deadCommand } from './commands/dead.ts'
import { doctorCommand } from './commands/doctor.ts'
import { listCommand } from './commands/list.ts'
import { purgeCommand } from './commands/purge.ts'
import { queuesCommand } from './commands/queues.ts'
import { statusCommand } from './commands/status.ts'
import { submitCommand } from './commands/submit.ts'
import { tailCommand } from './commands/tail.ts'
import { tokenCommand } from './commands/token.ts'
import { watchCommand } from './commands/watch.ts'
import { workerCommand } from './commands/worker.ts'
import { workersCommand } from './commands/workers.ts'
import { CommandError, EXIT } from './exit-code.ts'
import { note } from './terminal.ts'

function createProgram(): Command {
  const program = new Command('sluice')
    .description('A task queue: run a broker, run workers, submit and inspect tasks')
    .version(packageJson.version)
    .commandsGroup('Run:')
    .addCommand(brokerCommand())
    .addCommand(workerCommand())
    .addCommand(backupCommand())
    .commandsGroup('Tasks:')
    .addCommand(submitCommand())
    .addCommand(statusCommand())
    .addCommand(cancelCommand())
    .addCommand(listCommand())
    .addCommand(deadCommand())
    .addCommand(purgeCommand())
    .commandsGroup('Look:')
    .addCommand(queuesCommand())
    .addCommand(workersCommand())
    .addCommand(watchCommand())
    .addCommand(tailCommand())
    .addCommand(doctorCommand())
    .commandsGroup('More:')
    .addCommand(tokenCommand())
    .addCommand(completionCommand())
    .addHelpText(
      'after',
      exampleHelp([
        'sluice broker',
        'sluice worker ./tasks.ts',
        `sluice submit hello '{"name":"Ada"}' --wait`,
        'sluice watch',
      ]),
    )
  program.addCommand(completeCommand(program), { hidden: true })
  // Settings that Commander needs on each command of the tree.
  const prepare = (command: Command): void => {
    // Long flags leave little room, and text that is not wrapped is worse.
    command
      .configureHelp({ minWidthToWrap: 20 })
      .exitOverride()
      .showSuggestionAfterError()
      .showHelpAfterError('(--help shows examples)')
    command.commands.forEach(prepare)
  }
  prepare(program)
  return program
}

/** Runs one command line and returns its exit code. All errors have been printed on standard error. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv)
    return EXIT.ok
  } catch (caught) {
    // Commander has printed its own message, or the requested help.
    if (caught instanceof CommanderError) return caught.exitCode === 0 ? EXIT.ok : EXIT.usage
    const message = caught instanceof Error ? caught.message : String(caught)
    for (const line of linesOf(message)) {
      // Deeper indented lines are meant to be copied.
      const isText = !line.startsWith('  ')
      note(isText ? `${styleText('red', 'sluice:', { stream: process.stderr })} ${line}` : line)
    }
    if (caught instanceof CommandError) return caught.exitCode
    for (const line of linesOf(caught instanceof Error ? (caught.stack ?? '') : '')) note(line)
    return EXIT.failed
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').map(printable)
}
