import { styleText } from 'node:util'
import type { Broker } from '@sluice/broker'
import { type BrokerSettings, flagOf, SETTING_NAMES, SETTINGS } from '@sluice/broker/config'
import { Command, Option } from 'commander'
import type { Logger } from 'pino'
import { type BrokerFlags, settingsFrom } from '../broker-settings.ts'
import { exampleHelp } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { onLeave } from '../leave.ts'
import { startFailure } from '../start-failure.ts'
import { print } from '../terminal.ts'

const SOURCES = `
A setting comes from its flag, else from the environment (--queue-tasks-max is
SLUICE_QUEUE_TASKS_MAX), else from sluice.config.json in the working directory
({ "queueTasksMax": 1000 }), else it is the default.`

const DURABILITY_NOTES = {
  strict: 'strict: a task is on disk before it is accepted',
  relaxed: 'RELAXED: a power cut may lose tasks accepted just before',
  memory: 'MEMORY: nothing is written; every task is lost when this ends',
}

function announce(log: Logger, settings: BrokerSettings, urls: { url: string; httpUrl: string }): void {
  const { durability, dataFile } = settings
  if (!process.stdout.isTTY) return
  const kept = DURABILITY_NOTES[durability]
  print('')
  print(`  ${styleText('bold', 'sluice broker')}`)
  print(`  tasks  ${urls.url}`)
  print(`  http   ${urls.httpUrl}/v1/queues`)
  if (durability !== 'memory') print(`  data   ${dataFile}`)
  print(`  kept   ${durability === 'strict' ? kept : styleText(['bold', 'yellow'], kept)}`)
  print(`  ${styleText('dim', 'Ctrl-C lets workers finish, then leaves')}`)
  print('')
  // The key that signs tokens is never shown.
  const { access, ...others } = settings
  log.debug({ ...others, access: access && { ...access, secret: undefined } }, 'settings')
}

async function runBroker(flags: BrokerFlags): Promise<void> {
  const settings = settingsFrom(flags)
  const { dataFile, durability, logLevel, ...others } = settings
  const [{ createBroker }, { createLogger }] = await Promise.all([import('@sluice/broker'), import('../log-lines.ts')])
  const log = createLogger(logLevel, flags.json === true)
  const asked = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<Error>()
  // Listen for signals before the start message: its reader may ask the broker to leave at once.
  onLeave(asked.resolve)
  let broker: Broker
  try {
    broker = await createBroker({
      journal: durability === 'memory' ? { kind: 'memory' } : { kind: 'sqlite', path: dataFile, durability },
      ...others,
      logger: log,
      onFailure: failed.resolve,
    })
    announce(log, settings, broker)
  } catch (caught) {
    throw (await startFailure(caught, settings, process.argv.slice(2))) ?? caught
  }
  asked.promise
    .then(() => broker.drain())
    .then(() => broker.close())
    .then(left.resolve, left.reject)
  const failure = await Promise.race([left.promise, failed.promise])
  if (failure === undefined) return
  await broker.close()
  const kept = failure.name === 'JournalPlaceError' ? '' : 'What was accepted is on disk: mend'
  throw new CommandError(`${failure.message}. ${kept || 'Mend'} the cause, then start the broker again`, EXIT.failed)
}

export function brokerCommand(): Command {
  const command = new Command('broker')
    .description('run a broker: it accepts, keeps and delivers tasks')
    .addOption(
      new Option('--config <file>', 'configuration file (SLUICE_CONFIG; default sluice.config.json)').helpGroup(
        'Broker:',
      ),
    )
    .addOption(new Option('--json', 'log JSON on a terminal as well').helpGroup('Broker:'))
    .addHelpText('after', SOURCES)
    .addHelpText(
      'after',
      exampleHelp([
        'sluice broker',
        'sluice broker --port 8000 --data-file jobs.db',
        'sluice broker --durability memory --port 0',
      ]),
    )
  for (const name of SETTING_NAMES) {
    const { about, group, default: initial } = SETTINGS[name]
    command.addOption(
      new Option(`${flagOf(name)} <value>`, `${about} (${initial === '' ? 'none' : `default: ${initial}`})`).helpGroup(
        `${group}:`,
      ),
    )
  }
  return command.action(runBroker)
}
