import { mutantsOf } from './mutant.ts'

/** Bugs in what the broker tells about its tasks and how it stores their bodies. */
export const BROKER_API_MUTANTS = mutantsOf('broker', [
  {
    name: 'body offset wrong',
    in: 'slice',
    find: 'bodies.subarray(offset, offset + length)',
    put: 'bodies.subarray(offset + 1, offset + 1 + length)',
    breaks: 'a worker is given the bytes of another task',
  },
  {
    name: 'body cache mixes batches',
    in: 'BodyStore.fill',
    find: 'this.#cache.read(batch, $offset, length)',
    put: 'this.#cache.read(batch, $offset, length) ?? this.#cache.read(batch + 1, $offset, length)',
    breaks: 'a body is read from the wrong batch',
  },
  {
    name: 'forgotten result is an error',
    in: 'HostApi.task',
    drop: 'if ($isGone) return this.task(id)',
    breaks: 'a request over HTTP for a task that is forgotten at that moment gets an internal error',
  },
  {
    name: 'body cache without end',
    in: 'BodyCache.keep',
    find: 'if ($isKept) break',
    put: 'break',
    breaks: 'every body that was ever stored stays in memory',
  },
  {
    name: 'waiting requests without end',
    in: 'HostApi.waitForOutcome',
    find: 'host.listening >= host.config.waitersMax',
    put: 'host.listening < 0',
    breaks: 'requests that wait for outcomes fill the memory',
  },
  {
    name: 'outcomes told unasked',
    in: 'submitCommand',
    find: 'watch ?? true',
    put: 'true',
    breaks: 'who wants to hear nothing is sent every result',
  },
  {
    name: 'age told in seconds',
    in: 'statusOfTask',
    find: 'nowMs - task.acceptance.atMs',
    put: '(nowMs - task.acceptance.atMs) / 1000',
    breaks: 'a status gives a lower age than the task has',
  },
  {
    name: 'attempts told as those that failed',
    in: 'statusOfTask',
    find: 'attempts: task.attempts',
    put: 'attempts: task.past.history.length',
    breaks: 'a status gives one attempt too few',
  },
  {
    name: 'history left out',
    in: 'HostApi.#details',
    find: 'history: $history',
    put: 'history: []',
    breaks: 'nobody can see over HTTP what became of the attempts',
  },
  {
    name: 'cancelled records counted with the results',
    in: 'HostApi.queues',
    find: 'queue.done.size - queue.succeeded',
    put: 'queue.done.size',
    breaks: 'a queue shows more cancelled tasks than it keeps',
  },
  {
    name: 'everybody shown as connected',
    in: 'HostApi.workers',
    find: 'connected: $is',
    put: 'connected: true',
    breaks: 'an operator sees workers that are gone',
  },
  {
    name: 'page of dead letters without a next',
    in: 'HostApi.dead',
    find: '{ tasks, next: $id }',
    put: '{ tasks }',
    breaks: 'an operator sees the first few dead letters only',
  },
  {
    name: 'waiting requests counted for ever',
    in: 'OutcomeListeners.call',
    drop: 'this.#size -= called.length',
    breaks: 'after so many answers nobody may wait any more',
  },
])
