import { mutantsOf } from './mutant.ts'

/** Bugs in how events are written and read. */
export const JOURNAL_MUTANTS = mutantsOf('broker', [
  {
    name: 'replay forgets the time-to-live',
    in: 'decodeOptions',
    find: 'ttlMs: ttlMs',
    put: 'ttlMs: 0',
    breaks: 'after a restart old tasks are delivered that should have expired',
  },
  {
    name: 'replay forgets the retry delay',
    in: 'decodeOther',
    find: "type: 'attemptFailed', id, attempt, retryAtMs: $atMs",
    put: "type: 'attemptFailed', id, attempt, retryAtMs: atMs",
    breaks: 'after a restart failed tasks are all tried at once',
  },
  {
    name: 'replay forgets the watcher',
    in: 'EventDecoder.decode',
    find: 'strings[watcher]',
    put: 'undefined',
    breaks: 'after a restart nobody is told the outcome',
  },
  {
    name: 'lease written one too high',
    in: 'writeFields.leasesGranted',
    find: 'event.lease',
    put: 'event.lease + 1',
    breaks: 'after a restart a worker holds leases that it was never told of',
  },
])
