import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { refusalText } from '../broker-http.ts'
import { brokerUrl } from '../broker-url.ts'
import { type ClientFlags, clientCommand, wholeNumber } from '../client-command.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { note, print } from '../terminal.ts'

interface WorkerFlags extends ClientFlags {
  concurrency?: number
  threads?: number
  name?: string
  graceMs: number
  logLevel: string
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** After this time without a broker a person wants to know what the worker waits for. */
const PATIENCE_MS = 2000

async function runWorker(module: string, flags: WorkerFlags): Promise<void> {
  const { webSocket: url } = brokerUrl(flags.url)
  const [{ startWorkerProcess, HandlerModuleError }, { SluiceError }, { createLogger }] = await Promise.all([
    import('@sluice/worker-node'),
    import('@sluice/client'),
    import('../log-lines.ts'),
  ])
  const logger = createLogger(flags.logLevel, flags.json === true)
  const waiting = setTimeout(
    () => note(`No broker at ${url} yet: waiting for one. Start it: sluice broker`),
    PATIENCE_MS,
  )
  try {
    const { concurrency, threads, name, token, graceMs } = flags
    const { ended, queues, threaded } = await startWorkerProcess({
      url,
      module,
      graceMs,
      logger,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(threads === undefined ? {} : { threads: threads === 0 ? true : threads }),
      ...(name === undefined ? {} : { name }),
      ...(token === undefined ? {} : { token }),
    })
    clearTimeout(waiting)
    if (process.stdout.isTTY) {
      const where = threaded ? 'in threads' : 'in this process'
      print(`  ${styleText('bold', 'sluice worker')} takes ${queues.join(', ')}, ${where}`)
      print(`  ${styleText('dim', 'Ctrl-C finishes what runs, then leaves')}`)
    }
    await ended
  } catch (caught) {
    if (caught instanceof HandlerModuleError) throw new CommandError(caught.message, EXIT.usage)
    // The broker refused for good. The worker itself did not fail.
    if (caught instanceof SluiceError) throw new CommandError(refusalText(caught), EXIT.failed)
    throw caught
  } finally {
    clearTimeout(waiting)
  }
}

export function workerCommand(): Command {
  return clientCommand('worker', 'run the handlers of a module on tasks', [
    'sluice worker ./tasks.ts',
    'sluice worker ./tasks.ts --threads 4',
    'SLUICE_URL=ws://127.0.0.1:8000 sluice worker ./tasks.ts --concurrency 16',
  ])
    .argument('<module>', "a module: export default { 'queue.name': async (input, ctx) => … }")
    .option('--concurrency <n>', 'tasks at once in this process (default: 8)', wholeNumber('--concurrency', 1, 10_000))
    .addOption(
      new Option('--threads <n>', 'run handlers in so many threads; 0 is one a processor')
        .argParser(wholeNumber('--threads', 0, 256))
        .conflicts('concurrency'),
    )
    .option('--name <name>', 'shown by the broker (default: module and host)')
    .option(
      '--grace-ms <ms>',
      'how long tasks may go on when leaving',
      wholeNumber('--grace-ms', 0, 86_400_000),
      30_000,
    )
    .addOption(
      new Option('--log-level <level>', 'least severe line that is logged').choices(LOG_LEVELS).default('info'),
    )
    .action(runWorker)
}
