import type { BrokerApi, DeadLetter, TaskDetails } from '@sluice/broker/core'
import { uuidv7Source } from '@sluice/client'
import { bodyToJson, jsonBody } from '@sluice/protocol'
import { type Context, grained } from '../context.ts'
import { DiskError } from '../journal/index.ts'
import type { RandomStream } from '../random.ts'
import type { OperatorProfile } from '../scenario.ts'
import type { Process } from './process.ts'
import { makeWish } from './wish.ts'

/** The name under which an operator's actions are observed. */
const OPERATOR = 'operator'
const REDRIVEN_MAX = 5
const WAIT_MS_MEAN = 2000
/** Dead letters of a page, in turn from 1 to this many, and pages. */
const PAGE_MAX = 3
const PAGES_MAX = 1000
/** What was submitted last is asked for more often. */
const LATEST = 10

/** What an operator remembers beyond the broker's life. */
export interface OperatorNotes {
  readonly submitted: string[]
  count: number
}

/**
 * Someone who uses the broker's HTTP API. Requests that are running when the broker ends get no answer and are not
 * made again.
 */
export class Operator {
  readonly #context: Context
  readonly #process: Process
  readonly #api: BrokerApi
  readonly #profile: OperatorProfile
  readonly #notes: OperatorNotes
  readonly #chance: RandomStream
  readonly #nextId: () => string
  #isOver = false
  #views = 0
  #requests = 0

  constructor(context: Context, process: Process, api: BrokerApi, profile: OperatorProfile, notes: OperatorNotes) {
    this.#context = context
    this.#process = process
    this.#api = api
    this.#profile = profile
    this.#notes = notes
    this.#chance = context.random.stream('operator')
    const secrets = context.random.stream('operator ids')
    this.#nextId = uuidv7Source({ epochMs: () => process.epochMs(), randomBytes: (count) => secrets.bytes(count) })
  }

  start(): void {
    const { redriveEveryMs, submitEveryMs, askEveryMs } = this.#profile
    this.#repeat(redriveEveryMs, () => this.#redrive())
    this.#repeat(submitEveryMs, () => this.#submit())
    this.#repeat(askEveryMs, () => this.#ask())
  }

  stop(): void {
    this.#isOver = true
  }

  #repeat(everyMs: number | undefined, act: () => Promise<void>): void {
    if (everyMs === undefined) return
    this.#process.setTimer(
      () => {
        if (this.#isOver) return
        act().catch((error) => {
          // What an HTTP client would be told by a status. Anything else is a defect.
          if (!isAnswer(error)) this.#context.escaped('broker', error)
        })
        this.#repeat(everyMs, act)
      },
      grained(this.#chance.exponential(everyMs)),
    )
  }

  async #redrive(): Promise<void> {
    const { tasks } = this.#api.dead({ limit: REDRIVEN_MAX })
    const first = tasks[0]
    if (!first) return
    const isWhole = this.#chance.chance(0.2)
    const ids = isWhole
      ? this.#api.dead({ queue: first.queue, limit: Number.MAX_SAFE_INTEGER }).tasks.map(({ id }) => id)
      : tasks.filter(() => this.#chance.chance(0.5)).map(({ id }) => id)
    this.#process.observe({ type: 'redriving', node: OPERATOR, ids })
    const { redriven: count } = await this.#api.redrive(isWhole ? { queue: first.queue } : { ids })
    this.#process.observe({ type: 'redriven', node: OPERATOR, ids, count })
  }

  async #submit(): Promise<void> {
    const [group] = this.#context.scenario.producers
    if (!group) return
    this.#notes.count += 1
    const { task, body } = makeWish(this.#context, group, OPERATOR, this.#notes.count)
    const id = this.#nextId()
    const { queue, options } = task
    this.#process.observe({ type: 'submitting', node: OPERATOR, id, queue, body, attempt: 1 })
    const [error] = await this.#api.submit(queue, options, [{ id, ...jsonBody(body) }])
    if (error) this.#process.observe({ type: 'refused', node: OPERATOR, id, error })
    else {
      this.#notes.submitted.push(id)
      this.#process.observe({ type: 'accepted', node: OPERATOR, id })
    }
  }

  async #ask(): Promise<void> {
    this.#view()
    if (this.#notes.submitted.length === 0) return
    const { submitted } = this.#notes
    const id = this.#chance.pick(this.#chance.chance(0.5) ? submitted.slice(-LATEST) : submitted)
    const fate = this.#chance.integer(1, 10)
    if (fate === 1) await this.#cancel(id)
    else if (fate < 6) await this.#wait(id, grained(this.#chance.exponential(WAIT_MS_MEAN)))
    await this.#look(id)
  }

  #nextRequest(): number {
    this.#requests += 1
    return this.#requests
  }

  #view(): void {
    const { workers } = this.#api.workers({ limit: 1_000_000 })
    const [health, queues] = [this.#api.health(), this.#api.queues()]
    this.#process.observe({ type: 'viewed', node: OPERATOR, health, queues, workers })
    this.#views += 1
    const limit = 1 + (this.#views % PAGE_MAX)
    // All queues in turn, one after the other, and then no queue in particular.
    const queue = queues[this.#views % (queues.length + 1)]?.name
    const query = queue === undefined ? { limit } : { limit, queue }
    const pages: DeadLetter[][] = []
    for (let after: string | undefined; pages.length < PAGES_MAX; ) {
      const { tasks, next } = this.#api.dead(after === undefined ? query : { ...query, after })
      pages.push(tasks)
      if (next === undefined) break
      after = next
    }
    this.#process.observe({ type: 'listed', node: OPERATOR, ...query, pages })
  }

  async #wait(id: string, ms: number): Promise<void> {
    const told = { node: OPERATOR, id, request: this.#nextRequest() }
    this.#process.observe({ type: 'waiting', ...told, ms })
    try {
      await this.#api.waitForOutcome(id, ms)
    } catch (error) {
      if (!isAnswer(error)) throw error
      this.#process.observe({ type: 'waited', ...told, code: (error as { code: string }).code })
      return
    }
    this.#process.observe({ type: 'waited', ...told })
  }

  async #cancel(id: string): Promise<void> {
    const told = { node: OPERATOR, id, request: this.#nextRequest() }
    this.#process.observe({ type: 'cancelling', ...told })
    const [error] = await this.#api.cancel([id])
    this.#process.observe({ type: 'cancelAnswered', ...told, code: error?.code ?? 'cancelled' })
  }

  async #look(id: string): Promise<void> {
    const node = OPERATOR
    const request = this.#nextRequest()
    this.#process.observe({ type: 'asking', node, id, request })
    const task = await this.#api.task(id)
    this.#process.observe({ type: 'answered', node, id, request, task: task && withoutResult(task) })
    if (!task) {
      this.#process.observe({ type: 'outcomeUnknown', node, id, code: 'unknown_task' })
    } else if (task.state === 'succeeded' && task.result) {
      const result = bodyToJson(task.result) as string
      this.#process.observe({ type: 'outcome', node, id, status: 'succeeded', result })
    } else if (task.state === 'dead' && task.reason) {
      const { reason, error } = task
      this.#process.observe({ type: 'outcome', node, id, status: 'dead', reason, ...(error ? { failure: error } : {}) })
    } else if (task.state === 'cancelled') {
      this.#process.observe({ type: 'outcome', node, id, status: 'cancelled' })
    }
  }
}

function withoutResult({ result: _, ...task }: TaskDetails): Omit<TaskDetails, 'result'> {
  return task
}

/** A refusal, or what is a status of 500 over HTTP: a record that could not be read. */
function isAnswer(error: unknown): boolean {
  return error instanceof DiskError || (error instanceof Error && 'code' in error)
}
