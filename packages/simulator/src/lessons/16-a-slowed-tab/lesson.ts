import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf, resultsRefused } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const HIDDEN_AT_MS = 3000
const HIDDEN_MS = 22_000
const UNTIL_MS = 30_000
/** How late everything is in a tab that its browser slows down. */
const LATE_MS = 3500

/** Two workers. The first one is slowed down for a while: all that it does comes late. */
function scenario(leaseMs: number): Scenario {
  return {
    ...scene,
    name: `a slowed tab, lease of ${leaseMs} ms`,
    durationMs: UNTIL_MS,
    hosting: { heartbeatMs: 1000 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'closedLoop', inFlight: 4, thinkMs: exactly(100) },
        tasks: [
          { queue: 'tiles', weight: 1, bodyBytes, options: { leaseMs, retry: { kind: 'fixed', attemptsMax: 20 } } },
        ],
      },
    ],
    workers: [{ count: 2, queues: ['tiles'], concurrency: 1, prefetch: 0, service: { tiles: { ms: exactly(800) } } }],
    script: [{ atMs: HIDDEN_AT_MS, fault: { type: 'slow', node: 'worker-1', byMs: LATE_MS, forMs: HIDDEN_MS } }],
  }
}

type Figure = 'deliveries' | 'lost' | 'refused' | 'returned' | 'done'

export const aSlowedTab: Lesson<Figure, 1, 1> = {
  number: 16,
  name: 'a-slowed-tab',
  title: 'A slowed tab loses its lease',
  teaser: 'A tab goes into the background. It still works, only late. Is late the same as dead?',
  rules: ['LEASE-5', 'LEASE-7', 'SESSION-6', 'CLIENT-1', 'CLIENT-6'],
  problem: [
    'Two browser tabs work on the tiles of a large picture. One of them goes into the background.',
    'Browsers slow such pages down to spare the battery. The tab is alive and does all that it should, but each step comes 3.5 seconds late.',
    'The leases last three seconds.',
  ],
  runs: [{ label: 'lease of 3 s', scenario: scenario(3000) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded', 'sentByBroker'],
  measure(seen) {
    let deliveries = 0
    let lost = 0
    for (const one of seen) {
      if (one.type !== 'sentByBroker' || one.node !== 'worker-1') continue
      const { message, atMs } = one
      const isHidden = atMs >= HIDDEN_AT_MS && atMs < HIDDEN_AT_MS + HIDDEN_MS
      if (message.type === 'deliver' && isHidden) deliveries += message.ids.length
      if (message.type === 'revoke' && message.reason === 'expired') lost += message.leases.length
    }
    const returned = handlerRunsOf(seen).filter(({ node, hasReturned }) => node === 'worker-1' && hasReturned)
    return {
      deliveries,
      lost,
      refused: resultsRefused(seen),
      returned: returned.length,
      done: submissionsOf(seen).filter(({ succeededAtMs }) => succeededAtMs !== undefined).length,
    }
  },
  figures: {
    deliveries: 'tasks that the slowed tab was given',
    lost: 'leases that it lost',
    refused: 'results that were refused',
    returned: 'tasks that it worked on to the end',
    done: 'tasks done by both tabs',
  },
  predict: {
    kind: 'choice',
    question: 'The slowed tab lets its lease run out. How does the broker treat it after that?',
    options: [
      {
        text: 'It goes on giving it tasks as before.',
        answer: 'Then each of these tasks would lose three seconds, one after the other.',
      },
      {
        text: 'It gives it a task now and then, with longer and longer breaks.',
        answer: 'Yes. It waits until it hears from the tab, then a while longer, and then tries again.',
      },
      {
        text: 'It never gives it a task again.',
        answer: 'That would be hard: the tab may come to the front in a minute and be as good as any.',
      },
    ],
    outcome: ([run]) => (run.deliveries <= 1 ? 2 : run.deliveries > 6 ? 0 : 1),
  },
  observe: {
    kind: 'choice',
    question: 'Did the picture go on meanwhile?',
    options: [
      { text: 'No, the work stopped.', answer: 'The other tab worked all the time.' },
      {
        text: 'Yes. The other tab did the tiles, also those that the slowed one had lost.',
        answer: 'Right. Each lost lease cost a tile three seconds, and no tile was lost.',
      },
      {
        text: 'Yes, both tabs did about the same.',
        answer: 'While it was slowed, hardly any work of that tab counted.',
      },
    ],
    outcome: ([run]) => (run.lost > 0 && run.done > 15 ? 1 : 0),
  },
  explain: [
    'For the broker, too late is like dead. A heartbeat that comes after the end of the lease renews nothing. The task is ready again and goes to another worker.',
    'After a lost lease, the worker is given nothing until the broker hears from it. Then it rests: one second after the first loss, twice as long after each further one, up to ten. One finished task, and it is trusted again.',
    'Many of these losses cost the task no attempt. The tab had not even begun when its lease ended, so the task is not to blame.',
    'This queue’s own worker for tabs sends heartbeats from a Web Worker, which browsers do not slow down. So a hidden tab keeps its leases, unless the browser freezes the page as a whole.',
  ],
  change: {
    prompt: ['The same slow tab. But the leases last twelve seconds instead of three.'],
    runs: [{ label: 'lease of 12 s', scenario: scenario(12_000) }],
    predict: {
      kind: 'number',
      question: 'How many leases does the slowed tab lose now?',
      unit: 'leases',
      min: 0,
      max: 10,
      step: 1,
      outcome: ([run]) => run.lost,
    },
    explain: [
      'None. Its heartbeats are late, but not later than the lease is long. The tab does little, and that little counts.',
      'A lease should be longer than the pauses that you know of. It need not be longer than the work: heartbeats take care of that.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'A colleague answers mails three days late. You need a sign of life from each of your team. What is a sensible rule?',
    options: [
      {
        text: '“No answer in one day: your work goes to somebody else.”',
        answer: 'Then you take work away from this colleague all the time, though it would have been done.',
      },
      {
        text: '“No answer in a week: your work goes to somebody else.”',
        answer: 'Yes. The limit is longer than the delay that you know of, and short enough for the work.',
      },
      {
        text: '“We wait for as long as it takes.”',
        answer: 'And if the colleague has left? Some limit is needed.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'Real browsers slow timers in steps, to once a second and later once a minute. Here everything is late by the same time.',
    'A page that is frozen: it does nothing at all, like the sleeper of lesson 3.',
  ],
  claim: {
    text: 'A worker that is later than its lease loses it, rests, and does little that counts, and the others do its work. A lease that is longer than the delay is not lost.',
    holds: ([short], [long]) =>
      short.lost >= 2 &&
      short.deliveries <= 6 &&
      short.done >= 16 &&
      long.lost === 0 &&
      long.refused === 0 &&
      long.returned > 2,
  },
}
