import type { Seen } from './fold.ts'
import { StoryMessages } from './story-messages.ts'
import { StorySteps } from './story-steps.ts'
import type { StoryStep, StoryView, Tone } from './story-view.ts'
import { TaskEvents } from './task-events.ts'
import { deadText, reasonText, spanText, stopText } from './words.ts'

type Of<Type extends Seen['type']> = Extract<Seen, { type: Type }>

/** Tells the story of one task. It is shown all observations, in order. */
export class Teller {
  state: StoryView['state'] = 'submitted'
  attempts = 0
  runs = 0
  endedAtMs: number | undefined
  readonly #id: string
  readonly #events: TaskEvents
  #producer = ''
  readonly #running = new Map<number, { worker: string; attempt: number; fromMs: number }>()
  #hasReturned = false
  readonly #batches = new Map<number, 'acceptance' | 'outcome'>()
  readonly #steps: StorySteps
  readonly #messages: StoryMessages

  constructor(id: string, seen: readonly Seen[]) {
    this.#id = id
    this.#events = new TaskEvents(id, seen)
    this.#steps = new StorySteps(seen.at(-1)?.atMs ?? 0)
    this.#messages = new StoryMessages(id, this.#steps)
  }

  get steps(): readonly StoryStep[] {
    return this.#steps.all
  }

  see(seen: Seen, at: number): void {
    switch (seen.type) {
      case 'sentToBroker':
        this.#messages.toBroker(seen)
        return
      case 'sentByBroker':
        this.#messages.byBroker(seen)
        return
      case 'disconnected':
        this.#steps.disconnected(seen)
        return
      case 'nodeStopped':
        this.#stopped(seen)
        return
      case 'recovered':
        if (this.#steps.all.length > 0 && seen.incarnation > 1) this.#recovered(seen)
        return
      case 'appending': {
        const what = this.#events.in(seen, this.#id)
        if (what !== undefined) this.#batches.set(seen.batch, what)
        return
      }
      case 'appended':
        this.#appended(seen)
        return
    }
    if (!('id' in seen) || seen.id !== this.#id) return
    switch (seen.type) {
      case 'transition':
        if (seen.machine === 'task') this.#changed(seen, at)
        else if (seen.machine === 'outboxItem' && seen.to === 'parked')
          this.#tell(
            seen,
            seen.node,
            'The item is parked: it was refused for good and waits for a decision',
            'OUTBOX-4',
            'bad',
          )
        return
      case 'submitting':
        this.#producer = seen.node
        this.#tell(
          seen,
          seen.node,
          this.#messages.sends > 0
            ? `${seen.node} submits the same task once more`
            : seen.attempt > 1
              ? `An impatient user of ${seen.node} tries again, attempt ${seen.attempt}: for the broker this is another task`
              : `${seen.node} gives the task an id and submits it to the queue “${seen.queue}”`,
          'SUBMIT-2',
        )
        return
      case 'saved':
        this.#tell(
          seen,
          seen.node,
          seen.isSaved ? 'It is saved on the device and survives a crash' : 'It is kept in the memory of its tab only',
          seen.isSaved ? 'OUTBOX-1' : 'OUTBOX-9',
          seen.isSaved ? 'plain' : 'warn',
        )
        return
      case 'unsaved':
        this.#tell(seen, seen.node, `It could not be saved: ${seen.code}`, 'OUTBOX-9', 'bad')
        return
      case 'refused':
        this.#tell(seen, seen.node, `${seen.node} gives it up: ${seen.error.message}`, 'CLIENT-12', 'bad')
        return
      case 'handlerStarted':
        this.#started(seen)
        return
      case 'handlerAborted':
        this.#tell(
          seen,
          seen.node,
          `The handler is told to stop: ${reasonText(seen.reason)}`,
          'CLIENT-6',
          'warn',
          this.#attemptOf(seen.run),
        )
        return
      case 'handlerEnded':
        this.#ended(seen)
        return
      case 'outcome':
        this.#tell(
          seen,
          seen.node,
          `${seen.node} knows the outcome: ${seen.status === 'dead' ? `it failed for good, because ${deadText(seen.reason)}` : seen.status}`,
          'RESULT-1',
          seen.status === 'succeeded' ? 'good' : seen.status === 'dead' ? 'bad' : 'plain',
        )
        return
      case 'outcomeUnknown':
        this.#tell(seen, seen.node, `${seen.node} will not know the outcome: ${seen.code}`, 'CLIENT-12', 'warn')
        return
      case 'cancelling':
        this.#tell(seen, seen.node, `${seen.node} wants it cancelled`, 'CANCEL-1')
        return
      case 'cancelAnswered':
        this.#tell(
          seen,
          seen.node,
          seen.code === 'cancelled'
            ? `${seen.node} knows that it is cancelled`
            : `It could not be cancelled: ${seen.code}`,
          seen.code === 'cancelled' ? 'CANCEL-1' : 'CANCEL-2',
        )
    }
  }

  #tell(seen: Seen, who: string, text: string, rule: string, tone: Tone = 'plain', attempt?: number): void {
    this.#steps.tell(seen, who, text, rule, tone, attempt)
  }

  // ─── the broker ────────────────────────────────────────────────────────────────────────────────────────────────────

  #changed(seen: Of<'transition'>, at: number): void {
    const { from, to, event } = seen
    this.state = (to === 'absent' ? 'submitted' : to) as StoryView['state']
    const broker = (text: string, rule: string, tone: Tone = 'plain') => this.#tell(seen, 'broker', text, rule, tone)
    if (to === 'succeeded' || to === 'dead' || to === 'cancelled') this.endedAtMs = seen.atMs
    switch (event) {
      case 'tasksAccepted':
        if (to === 'delayed') broker('The broker accepts it. It has a delay, so it is not ready yet', 'READY-1')
        else broker('The broker accepts it. It is ready and waits for a worker with free credit', 'SUBMIT-1')
        return
      case 'leasesGranted':
        this.attempts += 1
        broker('The broker picks a worker with free credit and leases the task to it', 'LEASE-1')
        return
      case 'tasksSucceeded':
        broker('The broker records the result. The first outcome stays', 'RESULT-1', 'good')
        return
      case 'taskReadied':
        broker('Its wait is over: it is ready again', this.attempts > 0 ? 'RETRY-2' : 'READY-1')
        return
      case 'attemptFailed':
        this.#failed(seen, at)
        return
      case 'leaseReleased': {
        const lost = this.#events.detail(event, at)?.lost
        if (lost === undefined)
          broker('The lease was handed back. No attempt counts, and the task is ready at once', 'LEASE-6')
        else
          broker(
            `${lost === 'lease_expired' ? 'The lease expires' : 'The worker did not come back in time'} before the attempt had begun. No attempt counts, and the task is ready at once`,
            'LEASE-7',
            'warn',
          )
        return
      }
      case 'taskDied': {
        const reason = this.#events.detail(event, at)?.reason
        broker(
          `The task becomes a dead letter${reason === undefined ? '' : `: ${deadText(reason)}`}`,
          reason === 'expired' ? 'READY-5' : 'DEAD-1',
          'bad',
        )
        return
      }
      case 'taskCancelled':
        broker(
          from === 'leased' ? 'The broker cancels it, although a worker has it' : 'The broker cancels it',
          'CANCEL-1',
        )
        return
      case 'taskRedriven':
        this.endedAtMs = undefined
        broker('An operator makes the dead letter ready again. Its attempts count from zero', 'DEAD-4')
        return
      case 'taskForgotten':
        broker('Its record has been kept long enough and is dropped', from === 'dead' ? 'DEAD-3' : 'RESULT-3')
        return
      case 'oldestForgotten':
        broker('Its record is dropped to make room', from === 'dead' ? 'DEAD-3' : 'RESULT-4')
    }
  }

  #failed(seen: Of<'transition'>, at: number): void {
    const detail = this.#events.detail('attemptFailed', at)
    const how = detail?.attempt.how ?? 'failed'
    const waitMs = detail === undefined ? 0 : detail.retryAtMs - detail.atMs
    const wait = waitMs > 0 ? `waits ${spanText(waitMs)} for its next attempt` : 'is ready again at once'
    const attempt = detail?.attempt.attempt
    if (how === 'failed')
      this.#tell(
        seen,
        'broker',
        `The attempt counts as failed. The task ${wait}`,
        waitMs > 0 ? 'RETRY-2' : 'RETRY-1',
        'warn',
        attempt,
      )
    else if (how === 'lease_expired')
      this.#tell(
        seen,
        'broker',
        `Nobody renewed the lease, so it expires. The attempt counts, and the task ${wait}`,
        waitMs > 0 ? 'RETRY-4' : 'LEASE-5',
        'bad',
        attempt,
      )
    else
      this.#tell(
        seen,
        'broker',
        `The worker did not come back within the grace window. The attempt counts, and the task ${wait}`,
        waitMs > 0 ? 'RETRY-4' : 'SESSION-4',
        'bad',
        attempt,
      )
  }

  #appended(seen: Of<'appended'>): void {
    const what = this.#batches.get(seen.batch)
    if (what === undefined) return
    this.#batches.delete(seen.batch)
    if (what === 'acceptance')
      this.#tell(
        seen,
        'broker',
        'The acceptance is on the disk. Only now may the broker tell it, and deliver the task',
        'HOST-3',
      )
    else this.#tell(seen, 'broker', 'The outcome is on the disk. Only now may the broker tell it', 'HOST-1')
  }

  #stopped(seen: Of<'nodeStopped'>): void {
    const { node, how, reason } = seen
    if (node === 'broker') {
      if (this.#steps.all.length === 0 || this.state === 'gone') return
      this.#batches.clear()
      this.#tell(
        seen,
        node,
        `The broker ${stopText(how, reason)}. What is on its disk stays`,
        'HOST-14',
        how === 'left' ? 'plain' : 'bad',
      )
      return
    }
    for (const [run, { worker, attempt }] of this.#running) {
      if (worker !== node) continue
      this.#running.delete(run)
      this.#tell(
        seen,
        node,
        `${node} ${stopText(how, reason)}, and its handler with it. Nobody tells the broker: the lease has to run out`,
        'LEASE-5',
        'bad',
        attempt,
      )
    }
    if (node === this.#producer && this.endedAtMs === undefined && this.state !== 'gone')
      this.#tell(
        seen,
        node,
        `${node}, which submitted it, ${stopText(how, reason)}`,
        this.state === 'submitted' ? 'CLIENT-9' : 'SUBMIT-6',
        'warn',
      )
  }

  #recovered(seen: Of<'recovered'>): void {
    if (this.endedAtMs !== undefined) return
    this.#tell(
      seen,
      'broker',
      `The broker has read its journal up to batch ${seen.lastBatch} and goes on from there`,
      'HOST-14',
    )
  }

  // ─── handlers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #started(seen: Of<'handlerStarted'>): void {
    const { node, attempt, run, atMs } = seen
    const other = [...this.#running.values()][0]
    this.#running.set(run, { worker: node, attempt, fromMs: atMs })
    this.runs += 1
    if (other !== undefined)
      this.#tell(
        seen,
        node,
        `A handler of ${node} begins, while that of ${other.worker} still runs: a duplicate. Only one of them can settle the task`,
        'LEASE-3',
        'warn',
        attempt,
      )
    else if (this.endedAtMs !== undefined)
      this.#tell(
        seen,
        node,
        `A handler of ${node} begins, although the task has ended: ${node} does not know that yet`,
        'LEASE-3',
        'warn',
        attempt,
      )
    else if (this.#hasReturned)
      this.#tell(
        seen,
        node,
        `A handler of ${node} does the work once more, since the first result has not reached the broker`,
        'LEASE-3',
        'warn',
        attempt,
      )
    else this.#tell(seen, node, `A handler of ${node} begins attempt ${attempt}`, 'CLIENT-8', 'plain', attempt)
  }

  #attemptOf(run: number): number | undefined {
    return this.#running.get(run)?.attempt
  }

  #ended(seen: Of<'handlerEnded'>): void {
    const running = this.#running.get(seen.run)
    this.#running.delete(seen.run)
    const after = running === undefined ? '' : ` after ${spanText(seen.atMs - running.fromMs)}`
    if (seen.how === 'returned') {
      this.#hasReturned = true
      this.#tell(seen, seen.node, `The handler returns its result${after}`, 'CLIENT-5', 'plain', running?.attempt)
    } else
      this.#tell(
        seen,
        seen.node,
        `The handler throws${after}: “${seen.thrown?.message ?? 'no reason'}”`,
        'CLIENT-5',
        'warn',
        running?.attempt,
      )
  }
}
