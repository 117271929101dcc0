import { DEFAULT_HOST_CONFIG } from '@sluice/broker/core'
import type { BrokerMessage, ClientMessage, WireError } from '@sluice/protocol'
import { type Fact, FactReader } from '../journal/facts.ts'
import type { Observation, ObservationOf, StoredItem } from '../observation.ts'

/** What a run must meet so that a rule is tested at all. A rule may have several. */
export const SITUATIONS = {
  'a task accepted': 'SUBMIT-1',
  'a submission heard again': 'SUBMIT-2',
  'an id refused for other content': 'SUBMIT-3',
  'a full queue said busy': 'QUEUE-1',
  'a body larger than a queue': 'QUEUE-3',
  'a delay that ended': 'READY-1',
  'a priority other than the default': 'READY-2',
  'a task expired undelivered': 'READY-5',
  'a lease granted': 'LEASE-1',
  'a settlement refused as lease_lost': 'LEASE-3',
  'leases renewed': 'LEASE-4',
  'a lease expired': 'LEASE-5',
  'a worker told to stop': 'LEASE-5',
  'a lease handed back': 'LEASE-6',
  'a lost lease not charged': 'LEASE-7',
  'a task to be announced': 'LEASE-8',
  'a task to be run alone': 'LEASE-8',
  'a grant that has to be durable': 'LEASE-9',
  'a stall excused': 'LEASE-10',
  'a failed attempt retried': 'RETRY-1',
  'a retry delayed': 'RETRY-2',
  'an attempt lost with its session': 'RETRY-4',
  'dead: attempts exhausted': 'DEAD-1',
  'dead: not retryable': 'DEAD-1',
  'dead: lease expired': 'DEAD-1',
  'a record forgotten past a bound': 'RESULT-4',
  'a dead letter redriven': 'DEAD-4',
  'outcomes told': 'RESULT-2',
  'a task watched later': 'RESULT-2',
  'a watcher refused': 'RESULT-2',
  'a record forgotten in time': 'RESULT-3',
  'progress told': 'RESULT-5',
  'a task cancelled': 'CANCEL-1',
  'a cancellation refused': 'CANCEL-2',
  'a session resumed': 'SESSION-3',
  'a lease kept over a reconnection': 'SESSION-3',
  'a session that never came back': 'SESSION-4',
  'a goodbye': 'SESSION-5',
  'a silent session heard': 'SESSION-6',
  'a broker that started again': 'REPLAY-3',
  'old batches discarded': 'REPLAY-4',
  'a task restated': 'REPLAY-4',
  'batches lost with the power': 'JOURNAL-4',
  'a torn batch': 'JOURNAL-3',
  'a journal that failed': 'HOST-5',
  'a session replaced': 'HOST-7',
  'a reader fell behind': 'HOST-10',
  'a reader caught up': 'HOST-10',
  'a slow reader closed': 'HOST-11',
  'a slow reader came back': 'HOST-11',
  'a drain announced': 'HOST-13',
  'a submission refused while draining': 'HOST-13',
  'an append of half a second': 'HOST-22',
  'a broker that stood still': 'HOST-23',
  'an item saved': 'OUTBOX-1',
  'an item sent again': 'OUTBOX-2',
  'relaxed changes lost': 'OUTBOX-2',
  'a tab that took over': 'OUTBOX-3',
  'an item parked': 'OUTBOX-4',
  'an item behind another of its key': 'OUTBOX-5',
  'an item cancelled': 'OUTBOX-8',
  'an item not saved': 'OUTBOX-9',
  'an item in memory': 'OUTBOX-9',
  'an intent named again': 'OUTBOX-10',
} as const satisfies Record<string, string>

export type Situation = keyof typeof SITUATIONS

const DEFAULT_PRIORITY = 5
/** The time that a slow disk takes for an append. */
const LONG_APPEND_MS = 500
/** Messages that the broker sends unasked and withholds from a client that does not read. */
const WITHHELD = new Set<BrokerMessage['type']>(['deliver', 'succeeded', 'ended', 'progress'])

/** Counts, over one run, which rules were tested and how many of the engine's events there were. */
export class Coverage {
  readonly situations: Partial<Record<Situation, number>> = {}
  events = 0
  readonly #reader = new FactReader()
  readonly #submitted = new Set<string>()
  #appendingAtMs = 0
  #sendBufferBytesHigh = DEFAULT_HOST_CONFIG.sendBufferBytesHigh
  /** Connections for which more waited at this time, and the sessions of those that were closed for it. */
  readonly #behind = new Map<number, number>()
  readonly #sessions = new Map<number, string>()
  readonly #closed = new Set<string>()
  /** By device. */
  readonly #leaders = new Map<string, string>()
  /** The saved items of each ordering key, and all that ever were. */
  readonly #keys = new Map<string, Set<string>>()
  readonly #items = new Set<string>()

  see(observation: Observation): void {
    switch (observation.type) {
      case 'worldStarted':
        this.#sendBufferBytesHigh = observation.scenario.hosting?.sendBufferBytesHigh ?? this.#sendBufferBytesHigh
        return
      case 'frame':
        if (observation.by !== 'broker' || observation.buffered <= this.#sendBufferBytesHigh) return
        if (!this.#behind.has(observation.connection)) this.#meet('a reader fell behind')
        this.#behind.set(observation.connection, observation.atMs)
        return
      case 'faultStarted':
        if (observation.fault.type === 'pause' && observation.fault.node === 'broker')
          this.#meet('a broker that stood still')
        return
      case 'appended':
        if (observation.atMs - this.#appendingAtMs >= LONG_APPEND_MS) this.#meet('an append of half a second')
        return
      case 'appending':
        this.#appendingAtMs = observation.atMs
        this.events += observation.events.length
        for (const event of observation.events)
          if (event.type === 'leasesGranted' && event.durable) this.#meet('a grant that has to be durable')
        for (const fact of this.#reader.read(observation.events)) this.#fact(fact)
        return
      case 'heardByBroker':
        this.#heard(observation.message)
        return
      case 'sentByBroker':
        this.#caughtUp(observation)
        this.#said(observation.message)
        return
      case 'disconnected':
        if (observation.side !== 'broker') return
        this.#behind.delete(observation.connection)
        if (observation.code === 4004) {
          this.#meet('a slow reader closed')
          this.#closed.add(this.#sessions.get(observation.connection) ?? '')
        }
        if (observation.code === 4005) this.#meet('a session replaced')
        if (observation.code === 4009) this.#meet('a journal that failed')
        return
      case 'discarded':
        this.#meet('old batches discarded')
        return
      case 'leading':
        if ((this.#leaders.get(observation.device) ?? observation.node) !== observation.node)
          this.#meet('a tab that took over')
        this.#leaders.set(observation.device, observation.node)
        return
      case 'saved':
        this.#meet(observation.isSaved ? 'an item saved' : 'an item in memory')
        return
      case 'unsaved':
        this.#meet('an item not saved')
        return
      case 'outcomeUnknown':
        if (observation.code === 'sameIntent') this.#meet('an intent named again')
        return
      case 'stored':
        for (const item of observation.items) this.#stored(item)
        return
      case 'storeReverted':
        this.#meet('relaxed changes lost')
        return
      case 'lost':
        this.#meet('batches lost with the power')
        if (observation.torn) this.#meet('a torn batch')
    }
  }

  #stored({ id, state, orderingKey = id }: StoredItem): void {
    const key = this.#keys.get(orderingKey) ?? new Set()
    this.#keys.set(orderingKey, key)
    if (state === 'saved' && key.size > 0 && !key.has(id)) this.#meet('an item behind another of its key')
    if (state === 'saved') key.add(id)
    else key.delete(id)
    if (state === 'parked') this.#meet('an item parked')
    if (state === 'cancelled') this.#meet('an item cancelled')
    if (state === 'saved') this.#items.add(id)
  }

  #meet(situation: Situation): void {
    this.situations[situation] = (this.situations[situation] ?? 0) + 1
  }

  #caughtUp({ connection, message, atMs }: ObservationOf<'sentByBroker'>): void {
    if (message.type === 'welcome') {
      this.#sessions.set(connection, message.session)
      if (message.resumed && this.#closed.delete(message.session)) this.#meet('a slow reader came back')
    } else if (WITHHELD.has(message.type) && atMs > (this.#behind.get(connection) ?? atMs)) {
      this.#behind.delete(connection)
      this.#meet('a reader caught up')
    }
  }

  #fact(fact: Fact): void {
    switch (fact.type) {
      case 'taskAccepted':
        this.#meet('a task accepted')
        if (fact.options.priority !== DEFAULT_PRIORITY) this.#meet('a priority other than the default')
        return
      case 'taskReadied':
        this.#meet('a delay that ended')
        return
      case 'leaseGranted':
        this.#meet('a lease granted')
        return
      case 'leasesRenewed':
        this.#meet('leases renewed')
        return
      case 'leaseReleased':
        this.#meet(fact.lost === undefined ? 'a lease handed back' : 'a lost lease not charged')
        return
      case 'sessionHeard':
        this.#meet('a silent session heard')
        return
      case 'brokerStalled':
        this.#meet('a stall excused')
        return
      case 'attemptFailed':
        if (fact.attempt.how === 'failed') {
          this.#meet('a failed attempt retried')
          if (fact.retryAtMs > fact.atMs) this.#meet('a retry delayed')
        }
        this.#lostBy(fact.attempt.how)
        return
      case 'taskDied':
        if (fact.attempt) this.#lostBy(fact.attempt.how)
        if (fact.reason === 'expired') this.#meet('a task expired undelivered')
        if (fact.reason === 'attempts_exhausted') this.#meet('dead: attempts exhausted')
        if (fact.reason === 'not_retryable') this.#meet('dead: not retryable')
        if (fact.reason === 'lease_expired') this.#meet('dead: lease expired')
        return
      case 'taskCancelled':
        this.#meet('a task cancelled')
        return
      case 'taskRedriven':
        this.#meet('a dead letter redriven')
        return
      case 'taskForgotten':
        this.#meet(fact.isEarly ? 'a record forgotten past a bound' : 'a record forgotten in time')
        return
      case 'taskWatched':
        this.#meet('a task watched later')
        return
      case 'sessionResumed':
        this.#meet('a session resumed')
        return
      case 'sessionClosed':
        this.#meet('a session that never came back')
        return
      case 'brokerStarted':
        if (fact.epoch > 1) this.#meet('a broker that started again')
        return
      case 'taskRestated':
        this.#meet('a task restated')
    }
  }

  #lostBy(how: 'failed' | 'lease_expired' | 'session_lost'): void {
    if (how === 'lease_expired') this.#meet('a lease expired')
    if (how === 'session_lost') this.#meet('an attempt lost with its session')
  }

  #heard(message: ClientMessage): void {
    if (message.type === 'bye') this.#meet('a goodbye')
    else if (message.type === 'hello' && (message.resume?.leases.length ?? 0) > 0)
      this.#meet('a lease kept over a reconnection')
    else if (message.type === 'submit') {
      for (const id of message.ids) {
        if (this.#submitted.has(id)) this.#meet('a submission heard again')
        if (this.#submitted.has(id) && this.#items.has(id)) this.#meet('an item sent again')
        this.#submitted.add(id)
      }
    }
  }

  #said(message: BrokerMessage): void {
    switch (message.type) {
      case 'submitted':
        for (const { error } of message.refused) this.#refused(error)
        return
      case 'settled':
        for (const { error } of message.refused) {
          if (error.code === 'lease_lost') this.#meet('a settlement refused as lease_lost')
        }
        return
      case 'cancelled':
        if (message.refused.length > 0) this.#meet('a cancellation refused')
        return
      case 'succeeded':
      case 'ended':
        this.#meet('outcomes told')
        return
      case 'progress':
        this.#meet('progress told')
        return
      case 'revoke':
        this.#meet('a worker told to stop')
        return
      case 'deliver':
        if (message.start === 'announced') this.#meet('a task to be announced')
        else if (message.start === 'alone') this.#meet('a task to be run alone')
        return
      case 'drain':
        this.#meet('a drain announced')
        return
      case 'error':
        if (message.code === 'draining') this.#meet('a submission refused while draining')
        if (message.ref !== undefined) this.#refused(message)
    }
  }

  #refused({ code, message }: WireError): void {
    if (code === 'busy') this.#meet(message.includes('watchers') ? 'a watcher refused' : 'a full queue said busy')
    if (code === 'id_conflict') this.#meet('an id refused for other content')
    if (code === 'too_large') this.#meet('a body larger than a queue')
  }
}
