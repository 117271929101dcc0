import type { Seen } from './fold.ts'
import type { StorySteps } from './story-steps.ts'
import type { StoryStep, Tone } from './story-view.ts'
import { spanText } from './words.ts'

type Of<Type extends Seen['type']> = Extract<Seen, { type: Type }>

interface Lease {
  worker: string
  attempt: number
  /** The step of its last heartbeat, to which more are added. */
  renewals: { step: StoryStep; times: number; fromMs: number } | undefined
}

/** Tells which messages there were about one task. */
export class StoryMessages {
  readonly #id: string
  readonly #steps: StorySteps
  /** How often the task was submitted. */
  sends = 0
  /** By connection and ref: the place of the task in that submission. */
  readonly #submissions = new Map<string, number>()
  readonly #leases = new Map<number, Lease>()
  /** By connection and ref: a settlement, with the place of the lease in it. */
  readonly #settlements = new Map<string, { worker: string; index: number }>()

  constructor(id: string, steps: StorySteps) {
    this.#id = id
    this.#steps = steps
  }

  toBroker(seen: Of<'sentToBroker'>): void {
    const { node, connection, message } = seen
    switch (message.type) {
      case 'submit': {
        const index = message.ids.indexOf(this.#id)
        if (index === -1) return
        this.#submissions.set(`${connection} ${message.ref}`, index)
        this.sends += 1
        const others = message.ids.length - 1
        const along = others === 0 ? '' : `, with ${others} other${others === 1 ? '' : 's'} in one message`
        this.#steps.send(
          seen,
          this.sends === 1
            ? this.#steps.tell(seen, node, `The submission leaves ${node}${along}`, 'CLIENT-10')
            : this.#steps.tell(seen, node, `${node} sends the submission again${along}`, 'SUBMIT-2', 'warn'),
        )
        return
      }
      case 'begin':
        for (const [number, lease] of this.#leases)
          if (number === message.lease && lease.worker === node)
            this.#steps.send(
              seen,
              this.#steps.tell(
                seen,
                node,
                `${node} reports that attempt ${lease.attempt} has begun`,
                'LEASE-7',
                'plain',
                lease.attempt,
              ),
            )
        return
      case 'heartbeat':
        for (const number of message.leases) this.#renewed(seen, this.#leases.get(number))
        return
      case 'complete':
        message.leases.forEach((number, index) => {
          this.#settles(seen, message.ref, number, index, 'sends the result', 'CLIENT-5')
        })
        return
      case 'fail':
        message.failures.forEach(({ lease, error }, index) => {
          this.#settles(
            seen,
            message.ref,
            lease,
            index,
            `reports that the attempt failed: “${error.message}”`,
            'CLIENT-5',
            'warn',
          )
        })
        return
      case 'release':
        message.leases.forEach((number, index) => {
          this.#settles(seen, message.ref, number, index, 'hands the task back', 'LEASE-6')
        })
    }
  }

  #renewed(seen: Of<'sentToBroker'>, lease: Lease | undefined): void {
    if (lease === undefined || lease.worker !== seen.node) return
    const { renewals } = lease
    // Something else came in between.
    if (renewals === undefined || this.#steps.all.at(-1) !== renewals.step) {
      const step = this.#steps.tell(
        seen,
        seen.node,
        `${seen.node} sends a heartbeat, which renews the lease`,
        'LEASE-4',
        'plain',
        lease.attempt,
      )
      lease.renewals = { step, times: 1, fromMs: seen.atMs }
      return
    }
    renewals.times += 1
    renewals.step.text = `${seen.node} sends ${renewals.times} heartbeats in ${spanText(seen.atMs - renewals.fromMs)}, which renew the lease.`
  }

  #settles(
    seen: Of<'sentToBroker'>,
    ref: number,
    number: number,
    index: number,
    what: string,
    rule: string,
    tone: Tone = 'plain',
  ) {
    const lease = this.#leases.get(number)
    if (lease === undefined) return
    this.#settlements.set(`${seen.connection} ${ref}`, { worker: seen.node, index })
    this.#steps.send(
      seen,
      this.#steps.tell(seen, seen.node, `${seen.node} ${what} (lease ${number})`, rule, tone, lease.attempt),
    )
  }

  byBroker(seen: Of<'sentByBroker'>): void {
    const { node, connection, message } = seen
    switch (message.type) {
      case 'submitted': {
        const index = this.#submissions.get(`${connection} ${message.ref}`)
        if (index === undefined) return
        const error = message.refused.find((one) => one.index === index)?.error
        if (error === undefined)
          this.#steps.send(
            seen,
            this.#steps.tell(seen, 'broker', `The broker tells ${node} that the task is accepted`, 'HOST-1', 'good'),
          )
        else if (error.code === 'busy')
          this.#steps.send(
            seen,
            this.#steps.tell(
              seen,
              'broker',
              `The broker has no room and answers “busy”${error.retryAfterMs === undefined ? '' : `: try again in ${spanText(error.retryAfterMs)}`}`,
              'QUEUE-1',
              'warn',
            ),
          )
        else
          this.#steps.send(
            seen,
            this.#steps.tell(seen, 'broker', `The broker refuses it: ${error.message}`, 'SUBMIT-4', 'bad'),
          )
        return
      }
      case 'deliver': {
        const index = message.ids.indexOf(this.#id)
        if (index === -1) return
        const attempt = message.attempts?.[index] ?? 1
        const lease = message.leases[index] as number
        this.#leases.set(lease, { worker: node, attempt, renewals: undefined })
        const alone =
          message.start === 'alone' ? ' The worker must run nothing else beside it, since it was lost before.' : ''
        const step = this.#steps.tell(
          seen,
          'broker',
          `The broker delivers it to ${node} as attempt ${attempt}, under lease ${lease} of ${spanText(message.leaseMs)}`,
          alone === '' ? 'LEASE-3' : 'LEASE-8',
          'plain',
          attempt,
        )
        step.text += alone
        this.#steps.send(seen, step)
        return
      }
      case 'settled': {
        const settlement = this.#settlements.get(`${connection} ${message.ref}`)
        const refusal = message.refused.find(({ index }) => index === settlement?.index)
        if (settlement === undefined || refusal === undefined) return
        this.#steps.send(
          seen,
          this.#steps.tell(
            seen,
            'broker',
            `The broker refuses what ${node} sent: it does not hold the lease any more`,
            'LEASE-3',
            'warn',
          ),
        )
        return
      }
      case 'revoke':
        for (const number of message.leases) {
          const lease = this.#leases.get(number)
          if (lease === undefined) continue
          const why = message.reason === 'expired' ? 'its lease has expired' : 'the task is cancelled'
          this.#steps.send(
            seen,
            this.#steps.tell(
              seen,
              'broker',
              `The broker tells ${node} to stop, because ${why}`,
              message.reason === 'expired' ? 'LEASE-5' : 'CANCEL-1',
              'warn',
              lease.attempt,
            ),
          )
        }
        return
      case 'succeeded':
        if (
          'ids' in message
            ? message.ids.includes(this.#id)
            : message.indexes.some((at) => this.#isNamed(connection, message.ref, at))
        )
          this.#steps.send(seen, this.#steps.tell(seen, 'broker', `The broker sends the result to ${node}`, 'RESULT-2'))
        return
      case 'ended':
        for (const task of message.tasks)
          if ('id' in task ? task.id === this.#id : this.#isNamed(connection, task.ref, task.index))
            this.#steps.send(
              seen,
              this.#steps.tell(
                seen,
                'broker',
                `The broker tells ${node} how the task ended: ${task.status}`,
                'RESULT-2',
              ),
            )
    }
  }

  #isNamed(connection: number, ref: number, index: number): boolean {
    return this.#submissions.get(`${connection} ${ref}`) === index
  }
}
