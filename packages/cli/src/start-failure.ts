import type { BrokerSettings } from '@sluice/broker/config'
import { CommandError, EXIT } from './exit-code.ts'
import { freePortFrom } from './free-port.ts'

/** Where a broker was asked to listen and to write. */
type Place = Pick<BrokerSettings, 'host' | 'port' | 'dataFile'>

/**
 * The error with advice for a broker that does not start. Undefined for an unexpected failure. `typed`: the arguments
 * of the command.
 */
export async function startFailure(
  caught: unknown,
  place: Place,
  typed: readonly string[],
): Promise<CommandError | undefined> {
  if (!(caught instanceof Error)) return undefined
  // A valid setting that does not work here, for example a file that it names.
  if (caught instanceof RangeError) return new CommandError(caught.message, EXIT.usage)
  const { code, syscall } = caught as NodeJS.ErrnoException
  if (syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo')
    return new CommandError(await addressFailure(caught, code, place, typed), EXIT.failed)
  // Every other error of the system concerns the file.
  if (syscall !== undefined || caught.name === 'JournalPlaceError')
    return new CommandError(`${caught.message}. Or take another file with --data-file`, EXIT.failed)
  if (caught.name === 'JournalLockedError') return new CommandError(`${caught.message} with --data-file`, EXIT.failed)
  if (caught.name === 'StoredTooLargeError') return new CommandError(caught.message, EXIT.usage)
  const { code: causeCode, syscall: causedBy } = (caught.cause ?? {}) as NodeJS.ErrnoException
  if (causeCode === 'ERR_SQLITE_ERROR' || causedBy !== undefined)
    return new CommandError(`${caught.message}. Mend that, or take another file with --data-file`, EXIT.failed)
  if (caught.name === 'JournalDamagedError')
    return new CommandError(`${place.dataFile}: ${caught.message}`, EXIT.failed)
  return undefined
}

async function addressFailure(
  { message }: Error,
  code: string | undefined,
  { host, port }: Place,
  typed: readonly string[],
): Promise<string> {
  if (code === 'EADDRINUSE') {
    const free = (await freePortFrom(port + 1, host)) ?? 0
    return [
      `Port ${port} of ${host} is taken. Is a broker running already (sluice queues)? To start another one:`,
      `  sluice ${onPort(typed, free).map(quoted).join(' ')}`,
      ...(free === 0 ? [] : [`  export SLUICE_URL=ws://${host.includes(':') ? `[${host}]` : host}:${free}`]),
    ].join('\n')
  }
  if (code === 'EACCES')
    return `This user may not listen on port ${port}: take one from 1024 on with --port, such as --port 7331`
  return `${message}. Take another address (--host) or port (--port)`
}

/** The same arguments with another port. */
function onPort(typed: readonly string[], port: number): string[] {
  const others = typed.filter((word, at) => !/^--port(=|$)/.test(word) && typed[at - 1] !== '--port')
  return [...others, '--port', String(port)]
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
