import type { Client, SubmitOptions, TaskHandle } from '@sluice/client'
import { DURATION_MS_MAX } from '@sluice/protocol'
import type { Command } from 'commander'
import { refusalText } from '../broker-http.ts'
import { brokerUrl } from '../broker-url.ts'
import { printable } from '../cells.ts'
import { type ClientFlags, clientCommand, httpOf, queueName, taskId, wholeNumber } from '../client-command.ts'
import { CommandError, EXIT, type ExitCode } from '../exit-code.ts'
import { ProgressBar } from '../progress-bar.ts'
import { taskBodies } from '../task-source.ts'
import { note, print, printJson } from '../terminal.ts'
import { sayWhatIsMissing } from '../wait-notes.ts'

interface SubmitFlags extends ClientFlags {
  file?: string
  wait?: boolean
  id?: string
  priority?: number
  delayMs?: number
  ttlMs?: number
  leaseMs?: number
  timeLimitMs?: number
  resultTtlMs?: number
  attempts?: number
  failWhenBusy?: boolean
}

/** The maximum number of tasks that are read but not finished. It bounds the memory of a submission of any length. */
const IN_FLIGHT_MAX = 1000
/** The maximum number of tasks that a message names one by one. */
const NAMED_MAX = 3
const AWAY_STATES: ReadonlySet<Client['state']> = new Set(['connecting', 'handshaking', 'backingOff'])

function optionsFrom(flags: SubmitFlags): SubmitOptions {
  const { priority, delayMs, ttlMs, leaseMs, timeLimitMs, resultTtlMs, attempts } = flags
  const stated = { priority, delayMs, ttlMs, leaseMs, timeLimitMs, resultTtlMs }
  const options: SubmitOptions = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined))
  if (attempts !== undefined) options.retry = { kind: attempts === 1 ? 'none' : 'exponential', attemptsMax: attempts }
  return options
}

/** Submits everything that the source holds, and follows each task to its end if requested. */
class Submission {
  readonly #client: Client
  readonly #queue: string
  readonly #flags: SubmitFlags
  readonly #bar = new ProgressBar()
  readonly #inFlight = new Set<Promise<void>>()
  /** Ids of accepted tasks whose outcome is awaited. */
  readonly #awaited = new Set<string>()
  /** The number of tasks that the broker has not accepted yet. */
  #unaccepted = 0
  #failed: { error: unknown } | undefined

  constructor(client: Client, queue: string, flags: SubmitFlags) {
    this.#client = client
    this.#queue = queue
    this.#flags = flags
  }

  /** Tells where to find the tasks that nobody waits for any more. */
  abandon(): void {
    this.#bar.end()
    const count = this.#awaited.size
    if (count === 0) return
    const how = count > NAMED_MAX ? 'sluice watch' : `sluice status --wait ${[...this.#awaited].join(' ')}`
    note(
      `${count === 1 ? 'The task goes' : `${count} tasks go`} on without this command. See what becomes of ${count === 1 ? 'it' : 'them'}: ${how}`,
    )
  }

  async run(bodies: AsyncIterable<unknown>): Promise<number> {
    const { tally } = this.#bar
    const unsubscribe = this.#client.onStateChange((state) => {
      tally.away = AWAY_STATES.has(state)
    })
    const endNotes = sayWhatIsMissing(
      httpOf(this.#flags),
      () => ({ queue: this.#queue, unaccepted: this.#unaccepted, unfinished: this.#awaited.size }),
      (text) => this.#bar.above(() => note(text)),
    )
    try {
      for await (const body of bodies) {
        if (this.#flags.id !== undefined && tally.submitted > 0) {
          throw new CommandError('--id names one task, and there is more than one to submit.', EXIT.usage)
        }
        tally.submitted += 1
        this.#start(body)
        if (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight)
        if (this.#failed !== undefined) break
      }
      tally.reading = false
      await Promise.all(this.#inFlight)
    } finally {
      // Values before a bad line are submitted all the same. Wait for their answers.
      await Promise.allSettled(this.#inFlight)
      endNotes()
      unsubscribe()
      this.#bar.end()
    }
    if (this.#failed !== undefined) throw this.#failed.error
    if (tally.submitted === 0) note('Nothing was submitted: the input is empty.')
    return tally.dead
  }

  #start(body: unknown): void {
    const one: Promise<void> = this.#follow(body)
      .catch((error: unknown) => {
        this.#failed ??= { error }
      })
      .finally(() => this.#inFlight.delete(one))
    this.#inFlight.add(one)
  }

  async #follow(body: unknown): Promise<void> {
    const { id, wait, json, failWhenBusy } = this.#flags
    this.#unaccepted += 1
    const handle = await this.#client
      .submit(this.#queue, body, {
        ...optionsFrom(this.#flags),
        watch: wait === true,
        onBusy: failWhenBusy === true ? 'throw' : 'wait',
        ...(id === undefined ? {} : { id }),
      })
      .finally(() => {
        this.#unaccepted -= 1
      })
    if (wait !== true) {
      if (json) printJson({ id: handle.id, queue: this.#queue })
      else print(handle.id)
      return
    }
    this.#awaited.add(handle.id)
    void this.#showProgress(handle)
    await this.#awaitOutcome(handle).finally(() => this.#awaited.delete(handle.id))
  }

  async #showProgress(handle: TaskHandle): Promise<void> {
    const { progress } = this.#bar.tally
    for await (const value of handle) progress.set(handle.id, value)
    progress.delete(handle.id)
  }

  /** The result as its worker wrote it, if the broker still has it. */
  async #exactResult(id: string, rounded: unknown): Promise<unknown> {
    const task = await httpOf(this.#flags).find<{ state: string; result?: unknown }>(`/v1/tasks/${id}`, 'state', 0)
    return task?.result ?? rounded
  }

  async #awaitOutcome(handle: TaskHandle): Promise<void> {
    const { json } = this.#flags
    const { TaskDeadError, TaskCancelledError } = await import('@sluice/client')
    try {
      const result = await handle.result()
      this.#bar.tally.succeeded += 1
      const shown = losesDigits(result) ? await this.#exactResult(handle.id, result) : jsonOf(result)
      this.#bar.above(() => printJson(json ? { id: handle.id, state: 'succeeded', result: shown } : shown))
    } catch (caught) {
      const dead = caught instanceof TaskDeadError
      if (!dead && !(caught instanceof TaskCancelledError)) throw caught
      this.#bar.tally.dead += 1
      this.#bar.above(() => {
        if (!json)
          note(printable(`${handle.id} ${dead ? `dead: ${caught.error?.message ?? caught.reason}` : 'cancelled'}`))
        else if (dead)
          printJson({
            id: handle.id,
            state: 'dead',
            reason: caught.reason,
            attempts: caught.attempts,
            error: caught.error,
          })
        else printJson({ id: handle.id, state: 'cancelled' })
      })
    }
  }
}

function jsonOf(result: unknown): unknown {
  return result instanceof Uint8Array ? { base64: Buffer.from(result).toString('base64') } : result
}

/**
 * Whether an integer in a JSON value is too large for JavaScript to represent exactly. It works without recursion,
 * because the value may be deep.
 */
function losesDigits(value: unknown): boolean {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'number' && Number.isInteger(next) && !Number.isSafeInteger(next)) return true
    if (typeof next === 'object' && next !== null && !(next instanceof Uint8Array))
      for (const inner of Object.values(next)) waiting.push(inner)
  }
  return false
}

const BUSY_CODES = new Set(['busy', 'draining', 'read_only'])

async function runSubmit(queue: string, argument: string | undefined, flags: SubmitFlags): Promise<void> {
  const { webSocket: url } = brokerUrl(flags.url)
  const bodies = taskBodies(argument, flags.file)
  // A client would wait for the broker for ever. A person wants an error.
  await httpOf(flags).get<{ status: string }>('/healthz', 'status')
  const [{ createClient, SluiceError }, { createNodePlatform }] = await Promise.all([
    import('@sluice/client'),
    import('@sluice/worker-node'),
  ])
  const client = createClient({
    url,
    name: 'sluice submit',
    platform: createNodePlatform(),
    ...(flags.token === undefined ? {} : { token: flags.token }),
  })
  const submission = new Submission(client, queue, flags)
  process.once('SIGINT', () => {
    submission.abandon()
    process.exit(EXIT.interrupted)
  })
  try {
    const dead = await submission.run(bodies)
    if (dead === 0) return
    throw new CommandError(`${dead} without a result. See why: sluice dead list --queue ${queue}`, EXIT.failed)
  } catch (caught) {
    if (!(caught instanceof SluiceError)) throw caught
    const exitCode: ExitCode = BUSY_CODES.has(caught.code) ? EXIT.busy : EXIT.failed
    throw new CommandError(refusalText(caught), exitCode)
  } finally {
    await client.close({ drainMs: 0 })
  }
}

export function submitCommand(): Command {
  const duration = (flag: string) => wholeNumber(flag, 0, DURATION_MS_MAX)
  return clientCommand('submit', 'submit tasks; prints their ids, or with --wait their results', [
    `sluice submit hello '{"name":"Ada"}' --wait`,
    'sluice submit photos.resize --file tasks.jsonl --wait --json',
    'seq 100 | sluice submit numbers --priority 9',
  ])
    .argument('<queue>', 'name of the queue', queueName)
    .argument('[body]', 'JSON; without it one task a line comes from standard input')
    .option('--file <path>', 'one JSON document, or one JSON value a line; - is standard input')
    .option('--wait', 'wait for the results and print them as they come')
    .option('--id <uuid>', 'UUIDv7 of the task: submitting it again changes nothing', taskId)
    .option('--priority <n>', '0 – 9, higher is sooner (default: 5)', wholeNumber('--priority', 0, 9))
    .option('--delay-ms <ms>', 'deliver no sooner than this from now', duration('--delay-ms'))
    .option('--ttl-ms <ms>', 'deliver within this, else dead letter', duration('--ttl-ms'))
    .option('--lease-ms <ms>', 'life of a delivery without a heartbeat', wholeNumber('--lease-ms', 100, 86_400_000))
    .option('--time-limit-ms <ms>', 'how long a handler may run', duration('--time-limit-ms'))
    .option('--result-ttl-ms <ms>', 'how long the outcome is kept', duration('--result-ttl-ms'))
    .option('--attempts <n>', 'deliveries in all (default: 5)', wholeNumber('--attempts', 1, 1000))
    .option('--fail-when-busy', 'end with exit code 4 instead of waiting for room')
    .action(runSubmit)
}
