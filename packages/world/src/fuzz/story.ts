import { faultText, seconds } from '../fault-text.ts'
import { FactReader } from '../journal/facts.ts'
import type { Observation, ObservationOf, Violation } from '../observation.ts'
import { Cast } from './cast.ts'
import { factText, heardText, saidText } from './sentence.ts'

/** The most lines of a story: what a person reads at once. */
const LINES_MAX = 60
/** A longer story tells its beginning and, at greater length, its end. */
const LINES_FIRST = 15

interface Line {
  atMs: number
  text: string
  /** How it went on: when it was heard, or durable. */
  awaits?: 'heard' | 'durable'
  endedAtMs?: number
  /** Lines of one kind that follow each other are told as one. */
  times: number
  lastAtMs: number
}

/**
 * Tells in sentences what happened to the tasks and nodes of a violation, up to the violation. It is shown the whole
 * run in which the violation was found.
 */
export class Story {
  readonly #violation: Violation
  readonly #cast: Cast
  readonly #reader = new FactReader()
  readonly #lines: Line[] = []
  readonly #unheard = new Map<string, Line[]>()
  readonly #unwritten = new Map<number, Line[]>()
  readonly #faults = new Map<number, string>()

  constructor(violation: Violation) {
    this.#violation = violation
    this.#cast = new Cast(violation.about)
  }

  see(observation: Observation): void {
    const { atMs } = observation
    if (atMs > this.#violation.atMs) return
    const cast = this.#cast
    cast.see(observation)
    switch (observation.type) {
      case 'faultStarted':
        this.#faults.set(observation.number, faultText(observation.fault))
        this.#tell(atMs, `FAULT ${observation.number}: ${faultText(observation.fault)}`)
        return
      case 'faultEnded':
        this.#tell(atMs, `fault ${observation.number} is over`)
        return
      case 'nodeStarted':
        if (cast.plays(observation.node)) {
          const again = observation.incarnation > 1 ? ` again (incarnation ${observation.incarnation})` : ''
          this.#tell(atMs, `${observation.node} starts${again}`)
        }
        return
      case 'nodeStopped':
        if (cast.plays(observation.node)) this.#tell(atMs, `${observation.node} ${endText(observation)}`)
        return
      case 'connectFailed':
        if (cast.plays(observation.node)) this.#tell(atMs, `${observation.node} does not get connected`)
        return
      case 'connected':
        if (cast.plays(observation.node))
          this.#tell(atMs, `${observation.node} opens connection ${observation.connection}`)
        return
      case 'disconnected':
        if (cast.plays(observation.node)) this.#tell(atMs, disconnectionText(observation))
        return
      case 'sentToBroker':
      case 'sentByBroker':
        for (const text of saidText(observation, cast)) this.#send(atMs, `${observation.connection} ${text}`, text)
        return
      case 'heardByBroker':
      case 'heardByNode':
        for (const text of heardText(observation, cast)) {
          const isKnown = this.#arrive(atMs, `${observation.connection} ${text}`)
          // Only the messages of workers are ever falsified.
          if (!isKnown && observation.type === 'heardByBroker') this.#tell(atMs, `falsified on its way: ${text}`)
        }
        return
      case 'appending': {
        const facts = this.#reader.read(observation.events)
        cast.learn(facts)
        const told = facts
          .flatMap((fact) => factText(fact, cast))
          .map((text) => this.#tell(atMs, `batch ${observation.batch}: ${text}`))
        for (const line of told) line.awaits = 'durable'
        if (told.length > 0) this.#unwritten.set(observation.batch, told)
        return
      }
      case 'appended':
        for (const line of this.#unwritten.get(observation.batch) ?? []) line.endedAtMs = atMs
        return
      case 'lost':
        this.#tell(
          atMs,
          `lost: batches from ${observation.fromBatch} on${observation.torn ? ', the first one torn' : ''}`,
        )
        return
      case 'recovered':
        this.#tell(
          atMs,
          `the broker recovers from ${
            observation.lastBatch < observation.firstBatch
              ? 'an empty journal'
              : `batches ${observation.firstBatch} to ${observation.lastBatch}`
          }`,
        )
        return
      case 'leading':
        if (cast.plays(observation.node))
          this.#tell(atMs, `${observation.node} leads the tabs of ${observation.device}`)
        return
      case 'stored':
      case 'storeReverted':
        for (const text of storedTexts(observation, cast)) this.#tell(atMs, text)
        return
      case 'transition':
        return
      default:
        if ('id' in observation && cast.names(observation.id) !== undefined)
          this.#tell(atMs, witnessText(observation, cast.names(observation.id) as string))
    }
  }

  /** At most a page, the violation last. */
  lines(): string[] {
    const { rule, atMs, message } = this.#violation
    const told = this.#lines.map(lineText)
    const left = told.length - LINES_MAX
    const shown =
      left <= 0
        ? told
        : [...told.slice(0, LINES_FIRST), `${' '.repeat(12)}… ${left} more …`, ...told.slice(left + LINES_FIRST)]
    return [...this.#cast.legend(), ...shown, `${seconds(atMs)}  VIOLATION of ${rule}: ${message}`]
  }

  #tell(atMs: number, text: string): Line {
    const last = this.#lines.at(-1)
    if (last?.text === text && last.awaits === undefined) {
      last.times += 1
      last.lastAtMs = atMs
      return last
    }
    const line: Line = { atMs, text, times: 1, lastAtMs: atMs }
    this.#lines.push(line)
    return line
  }

  #send(atMs: number, key: string, text: string): void {
    const line = this.#tell(atMs, text)
    line.awaits = 'heard'
    const waiting = this.#unheard.get(key)
    if (waiting === undefined) this.#unheard.set(key, [line])
    else waiting.push(line)
  }

  /** Whether it was said before. */
  #arrive(atMs: number, key: string): boolean {
    const line = this.#unheard.get(key)?.shift()
    if (line !== undefined) line.endedAtMs = atMs
    return line !== undefined
  }
}

function lineText({ atMs, text, awaits, endedAtMs, times, lastAtMs }: Line): string {
  const repeated = times > 1 ? ` (${times} times, until ${seconds(lastAtMs).trim()})` : ''
  if (awaits === undefined) return `${seconds(atMs)}  ${text}${repeated}`
  if (endedAtMs === undefined) return `${seconds(atMs)}  ${text} (never ${awaits})`
  return `${seconds(atMs)}  ${text}${endedAtMs > atMs ? ` (${awaits} ${Math.round(endedAtMs - atMs)} ms later)` : ''}`
}

function endText({ how, reason }: ObservationOf<'nodeStopped'>): string {
  const why = reason === undefined ? '' : `: ${reason}`
  if (how === 'left') return `leaves in good order${why}`
  return how === 'crashed' ? `crashes${why}` : `gives up${why}`
}

function disconnectionText({ node, connection, side, code }: ObservationOf<'disconnected'>): string {
  return side === 'node'
    ? `${node} hears that connection ${connection} is gone (${code})`
    : `the broker hears that connection ${connection} of ${node} is gone (${code})`
}

/** What a device has stored of the tasks of a story. */
function storedTexts(stored: ObservationOf<'stored' | 'storeReverted'>, cast: Cast): string[] {
  const how = stored.type === 'stored' ? `stores (${stored.durability})` : 'has again after the loss of power'
  return [
    ...stored.items.map(({ id, state }) => ({ task: cast.names(id), state: state as string })),
    ...stored.removed.map((id) => ({ task: cast.names(id), state: 'removed' })),
  ].flatMap(({ task, state }) => (task === undefined ? [] : [`${stored.node} ${how}: ${task} is ${state}`]))
}

type Witnessed = Exclude<Extract<Observation, { id: string }>, { type: 'transition' }>

/** What a producer or a handler saw. */
function witnessText(seen: Witnessed, task: string): string {
  const { node } = seen
  switch (seen.type) {
    case 'submitting':
      return `${node} wants ${task} done in ${seen.queue}${seen.attempt > 1 ? ` (try ${seen.attempt})` : ''}`
    case 'accepted':
      return `${node} knows that ${task} is accepted`
    case 'refused':
      return `${node} is refused ${task}: ${seen.error.code}, ${seen.error.message}`
    case 'outcome':
      return `${node} has the outcome of ${task}: ${seen.status}${seen.status === 'dead' ? `, ${seen.reason}` : ''}`
    case 'outcomeUnknown':
      return `${node} gets no outcome of ${task}: ${seen.code}`
    case 'cancelling':
      return `${node} wants ${task} cancelled`
    case 'cancelAnswered':
      return `${node} is answered about the cancellation of ${task}: ${seen.code}`
    case 'asking':
      return `${node} asks for ${task}`
    case 'answered':
      return `${node} is told of ${task}: ${seen.task?.state ?? 'not known'}`
    case 'waiting':
      return `${node} waits for the outcome of ${task}, ${Math.round(seen.ms)} ms at most`
    case 'waited':
      return `${node} waits for the outcome of ${task} no longer`
    case 'progressSeen':
      return `${node} sees progress of ${task}`
    case 'saved':
      return `${node} is told that ${task} is ${seen.isSaved ? 'saved' : 'in memory'}`
    case 'unsaved':
      return `${node} is told that ${task} is not saved: ${seen.code}`
    case 'cancelSaved':
      return `${node} is told that the wish to cancel ${task} is saved`
    case 'deciding':
      return `${node} wants the parked ${task} to be ${seen.what === 'retry' ? 'sent again' : 'discarded'}`
    case 'handlerStarted':
      return `a handler of ${node} begins ${task}, attempt ${seen.attempt} (run ${seen.run})`
    case 'handlerAborted':
      return `run ${seen.run} of ${task} on ${node} is told to stop: ${seen.reason}`
    case 'handlerEnded':
      return `run ${seen.run} of ${task} on ${node} ${seen.how === 'returned' ? 'returns' : 'throws'}`
  }
}
