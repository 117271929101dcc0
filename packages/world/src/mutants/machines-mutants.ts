import { mutantsOf } from './mutant.ts'

/** Bugs in the charts that producers and workers follow. */
export const MACHINES_MUTANTS = mutantsOf('machines', [
  {
    name: 'back-off without reset',
    in: 'CONNECTION.forgetFailures',
    find: '{ failures: 0 }',
    put: '{}',
    breaks: 'a client that was unlucky once waits long for ever',
  },
  {
    name: 'back-off without growth',
    in: 'CONNECTION',
    find: 'failures: context.failures + 1',
    put: 'failures: 0',
    breaks: 'a broker that is down is asked as often as ever',
  },
  {
    name: 'back-off without jitter',
    in: 'backoffDelayMs',
    find: 'Math.floor(draw * span)',
    put: 'span',
    breaks: 'all clients come back at the same moment',
  },
  {
    name: 'session forgotten',
    in: 'CONNECTION',
    drop: "actions: 'keepSession'",
    breaks: 'every reconnection begins anew, and its leases are lost',
  },
  {
    name: 'told to come later taken for told to stay away',
    in: 'CONNECTION',
    find: "$retry === 'no'",
    put: "$retry !== 'yes'",
    breaks: 'a client that meets a busy broker gives up for good',
  },
  {
    name: 'refused for good and asks again',
    in: 'CONNECTION',
    find: "$retry === 'no'",
    put: "$retry === 'never'",
    breaks: 'a client that is not let in knocks for ever',
  },
  {
    name: 'socket left open in silence',
    in: 'CONNECTION.ready.silent',
    drop: "{ type: 'closeSocket', params: { code: 4007, … } }",
    breaks: 'each connection that fell silent stays beside the next one',
  },
  {
    name: 'close that waits for ever',
    in: 'PRODUCER',
    drop: "after: { drainMs: 'closed' }",
    breaks: 'a program cannot end while the broker is away',
  },
])
