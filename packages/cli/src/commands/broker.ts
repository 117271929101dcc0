import { styleText } from 'node:util'
import type { Broker } from '@sluice/broker'
import {
  type BrokerSettings,
  ConfigError,
  flagOf,
  loadConfig,
  readConfigFile,
  SETTING_NAMES,
  SETTINGS,
} from '@sluice/broker/config'
import { Command, Option } from 'commander'
import type { Logger } from 'pino'
import { exampleHelp } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { onLeave } from '../leave.ts'
import { createLogger } from '../log-lines.ts'
import { print } from '../terminal.ts'

const SOURCES = `
A setting comes from its flag, else from the environment (--queue-tasks-max is
SLUICE_QUEUE_TASKS_MAX), else from sluice.config.json in the working directory
({ "queueTasksMax": 1000 }), else it is the default.`

type BrokerFlags = Record<string, string | undefined> & { config?: string; json?: boolean }

const DURABILITY_NOTES = {
  strict: 'strict: a task is on disk before it is accepted',
  relaxed: 'RELAXED: a power cut may lose tasks accepted just before',
  memory: 'MEMORY: nothing is written; every task is lost when this ends',
}

function settingsFrom({ config, json: _json, ...flags }: BrokerFlags): BrokerSettings {
  try {
    const file = readConfigFile(config ?? process.env.SLUICE_CONFIG)
    return loadConfig({ flags, environment: process.env, ...(file === undefined ? {} : { file }) })
  } catch (caught) {
    if (!(caught instanceof ConfigError)) throw caught
    throw new CommandError(caught.message, EXIT.usage)
  }
}

/** What a person can do about a broker that does not start; undefined for a failure that nobody foresaw. */
function startFailure(caught: unknown, { host, port, dataFile }: BrokerSettings): CommandError | undefined {
  if (!(caught instanceof Error)) return undefined
  const { code, syscall } = caught as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const advice =
      'Is a broker running already (sluice queues)? Take another port with --port, or a free one with --port 0'
    return new CommandError(`Port ${port} of ${host} is taken. ${advice}`, EXIT.failed)
  }
  if (code === 'EACCES' && syscall === 'listen') {
    const advice = 'Take one from 1024 on with --port, or a free one with --port 0'
    return new CommandError(`Port ${port} of ${host} is not for this user. ${advice}`, EXIT.failed)
  }
  // Whatever else the system says no to: an address was asked of it.
  if (syscall !== undefined)
    return new CommandError(`${caught.message}. Take another port (--port) or address (--host)`, EXIT.failed)
  if (caught.name === 'JournalLockedError') {
    return new CommandError(
      `${caught.message}. Take another file with --data-file, or end the other broker`,
      EXIT.failed,
    )
  }
  if (caught.name === 'JournalPlaceError')
    return new CommandError(`${caught.message}. Or take another file with --data-file`, EXIT.failed)
  if (caught.name === 'StoredTooLargeError') return new CommandError(caught.message, EXIT.usage)
  const { code: causeCode, syscall: causedBy } = (caught.cause ?? {}) as NodeJS.ErrnoException
  if (causeCode === 'ERR_SQLITE_ERROR' || causedBy !== undefined)
    return new CommandError(`${caught.message}. Mend that, or take another file with --data-file`, EXIT.failed)
  if (caught.name === 'JournalDamagedError') return new CommandError(`${dataFile}: ${caught.message}`, EXIT.failed)
  return undefined
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
  // What a token is signed with is nobody's to read.
  const { access, ...others } = settings
  log.debug({ ...others, access: access && { ...access, secret: undefined } }, 'settings')
}

async function runBroker(flags: BrokerFlags): Promise<void> {
  const settings = settingsFrom(flags)
  const { dataFile, durability, logLevel, ...others } = settings
  const log = createLogger(logLevel, flags.json === true)
  const { createBroker } = await import('@sluice/broker')
  const asked = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<Error>()
  // From the beginning: who has read that it listens may ask it to leave at once.
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
    throw startFailure(caught, settings) ?? caught
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
