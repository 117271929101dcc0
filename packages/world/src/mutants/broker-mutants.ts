import type { Mutant } from './mutant.ts'

/** Bugs in the host around the engine, and in how its events are written and read. */
export const BROKER_MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledge before sync',
    file: 'broker/src/core/host.ts',
    find: 'written\n          .then(filled)',
    replace: 'written.catch(() => {})\n        Promise.resolve()\n          .then(filled)',
    breaks: 'what was acknowledged may be gone after a crash',
  },
  {
    name: 'failed append taken for a success',
    file: 'broker/src/core/host.ts',
    find: 'written\n          .then(filled)',
    replace: 'written\n          .catch(() => {})\n          .then(filled)',
    breaks: 'the broker acknowledges what its journal has refused',
  },
  {
    name: 'delivery before durability',
    file: 'broker/src/core/host.ts',
    find: 'const release = (): void => {',
    replace: `const isDelivery = ({ type }) => type === 'deliver'
    for (const { connection, outgoing: all } of sends) {
      if (!all.messages.some(isDelivery) || this.bodies.fill(all.runs) !== undefined) continue
      all.complete()
      const early = all.messages.filter(isDelivery)
      all.messages.splice(0, Infinity, ...all.messages.filter((message) => !isDelivery(message)))
      connection.send({ messages: early, complete: () => early, answered: 0, bytes: 0 })
    }
    const release = (): void => {`,
    breaks: 'a worker does a task that a crash forgets',
  },
  {
    name: 'clock that goes back',
    file: 'broker/src/core/host.ts',
    find: 'return this.platform.nowMs() + this.#aheadMs',
    replace: 'return this.platform.nowMs()',
    breaks: 'after a restart with a clock that was set back, what is due waits for hours',
  },
  {
    name: 'lost timer',
    file: 'broker/src/core/host.ts',
    find: 'this.#wakeAtMs = Number.POSITIVE_INFINITY\n        this.scheduleTurn()',
    replace: 'this.scheduleTurn()',
    breaks: 'after the first deadline the broker sleeps through all others',
  },
  {
    name: 'timer not cancelled at the end',
    file: 'broker/src/core/host.ts',
    find: 'this.#idle = []\n    this.#cancelWake?.()',
    replace: 'this.#idle = []',
    breaks: 'a stopped broker keeps its process alive',
  },
  {
    name: 'lazy flush never',
    file: 'broker/src/core/host.ts',
    find: 'if (!this.#hasDurableEvent && this.#events.length > 0) this.#flushLater()',
    replace: '',
    breaks: 'leases and renewals of a quiet broker are never written',
  },
  {
    name: 'delivery while draining',
    file: 'broker/src/core/host.ts',
    find: "if (this.status === 'ready') this.#dispatch()",
    replace: 'this.#dispatch()',
    breaks: 'a leaving broker hands out work',
  },
  {
    name: 'saturation ignored',
    file: 'broker/src/core/host.ts',
    find: 'return this.bodies.stagedBytes >= this.config.stagedBytesMax',
    replace: 'return false',
    breaks: 'a slow disk lets the memory grow',
    survives:
      'what is decided sooner than it might be shows neither on the wire nor in the journal; broker/test/core/flow.test.ts sees it [HOST-9]',
  },
  {
    name: 'drain accepts',
    file: 'broker/src/core/connection.ts',
    find: "if (this.#service === 'draining') {",
    replace: "if (this.#service !== 'draining' && host.isSaturated) {",
    breaks: 'a leaving broker takes new work in',
  },
  {
    name: 'session resumed twice',
    file: 'broker/src/core/connection.ts',
    find: "host.sessions.get(session)?.close(4005, 'session_replaced')",
    replace: '',
    breaks: 'two connections speak for one session',
  },
  {
    name: 'lost leases not told',
    file: 'broker/src/core/connection.ts',
    find: 'lostLeases: named.filter((lease) => !leases.has(lease)),',
    replace: 'lostLeases: [],',
    breaks: 'a worker that comes back goes on with what it has lost',
  },
  {
    name: 'lost leases not told in renewed',
    file: 'broker/src/core/connection.ts',
    find: 'lost: message.leases.filter((lease) => !held?.has(lease))',
    replace: 'lost: []',
    breaks: 'a worker never learns that its lease is gone',
  },
  {
    name: 'submit credit leak',
    file: 'broker/src/core/connection.ts',
    find: 'this.#submitsUnanswered -= outgoing.answered',
    replace: '',
    breaks: 'a producer that submitted its credit once is never read from again',
  },
  {
    name: 'slow reader kept',
    file: 'broker/src/core/connection.ts',
    find: 'if (buffered > config.sendBufferBytesMax) {',
    replace: 'if (buffered < 0) {',
    breaks: 'a connection that reads nothing fills the memory',
  },
  {
    name: 'postponed outcome forgotten',
    file: 'broker/src/core/connection.ts',
    find: 'else if (isFinished(task)) for (const',
    replace: 'else if (!isFinished(task)) for (const',
    breaks: 'who read slowly for a moment never hears of the outcome',
  },
  {
    name: 'outcome that is gone not told',
    file: 'broker/src/core/connection.ts',
    find: 'if (!task) for (const submission of names) this.outgoing.forgotten({ id, seq }, submission)',
    replace: 'if (!task) continue',
    breaks: 'who read slowly until a record was forgotten waits for ever',
  },
  {
    name: 'waiting input dropped',
    file: 'broker/src/core/connection.ts',
    find: 'for (const frame of unread) this.receive(frame)',
    replace: 'for (const frame of unread.slice(1)) this.receive(frame)',
    breaks: 'what arrived while the disk was slow is never answered',
  },
  {
    name: 'body offset wrong',
    file: 'broker/src/core/body-store.ts',
    find: 'bodies.subarray(offset, offset + length)',
    replace: 'bodies.subarray(offset + 1, offset + 1 + length)',
    breaks: 'a worker is given the bytes of another task',
  },
  {
    name: 'body cache mixes batches',
    file: 'broker/src/core/body-store.ts',
    find: 'const cached = this.#cache.get(batch)',
    replace: 'const cached = this.#cache.get(batch) ?? this.#cache.get(batch + 1)',
    breaks: 'a body is read from the wrong batch',
  },
  {
    name: 'compaction drops a live task',
    file: 'broker/src/core/compaction.ts',
    find: 'Math.min(this.#oldestBatch(), host.batch - 1)',
    replace: 'host.batch - 1',
    breaks: 'old tasks are gone after a restart',
  },
  {
    name: 'restated body stays behind',
    file: 'broker/src/core/compaction.ts',
    find: 'event.task.body = host.bodies.stage(body.bytes)',
    replace: '',
    breaks: 'a body is looked for in a batch that is discarded',
  },
  {
    name: 'replay forgets the time-to-live',
    file: 'broker/src/journal/event-decoder.ts',
    find: '    ttlMs,\n    leaseMs,',
    replace: '    ttlMs: 0,\n    leaseMs,',
    breaks: 'after a restart old tasks are delivered that should have expired',
  },
  {
    name: 'replay forgets the retry delay',
    file: 'broker/src/journal/event-decoder.ts',
    find: "type: 'attemptFailed', id, attempt, retryAtMs: instantFrom(atMs, second)",
    replace: "type: 'attemptFailed', id, attempt, retryAtMs: atMs",
    breaks: 'after a restart failed tasks are all tried at once',
  },
  {
    name: 'replay forgets the watcher',
    file: 'broker/src/journal/event-decoder.ts',
    find: 'watcher: strings[watcher!],',
    replace: 'watcher: undefined,',
    breaks: 'after a restart nobody is told the outcome',
  },
  {
    name: 'lease written one too high',
    file: 'broker/src/journal/event-encoder.ts',
    find: 'out.number(event.lease)\n      runs',
    replace: 'out.number(event.lease + 1)\n      runs',
    breaks: 'after a restart a worker holds leases that it was never told of',
  },
  {
    name: 'forgotten result is an error',
    file: 'broker/src/core/host-api.ts',
    find: 'if (this.#host.state.tasks.get(id) !== task || resultOf(task) !== result) return this.task(id)',
    replace: '',
    breaks: 'whoever asks over HTTP for a task that is forgotten at that moment is told of an internal error',
  },
  {
    name: 'reading on while saturated',
    file: 'broker/src/core/connection.ts',
    find: "if (!this.#host.isSaturated && this.#reading === 'reading') this.#transport.resume()",
    replace: "if (this.#reading === 'reading') this.#transport.resume()",
    breaks: 'input that waited fills the next batch, and the connection is read from all the same',
  },
]
