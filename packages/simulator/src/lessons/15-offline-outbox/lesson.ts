import type { Scenario, TimedFault } from '@sluice/world'
import { handlerRunsOf, runsByTask } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { between, bodyBytes, exactly, scene } from '../scene.ts'

const PHOTOS = 12
const OFFLINE_AT_MS = 3000
const OFFLINE_MS = 9000
const UNTIL_MS = 30_000

/** A phone with one page that submits through an outbox. It has no network for some seconds. */
function scenario(name: string, faults: readonly TimedFault[]): Scenario {
  return {
    ...scene,
    name,
    durationMs: UNTIL_MS,
    hosting: { heartbeatMs: 1000 },
    producers: [],
    browsers: [
      {
        count: 1,
        tabs: 1,
        arrivals: { kind: 'steady', rate: 1 },
        tasks: [{ queue: 'photos', weight: 1, bodyBytes }],
        itemsMax: PHOTOS,
        storeMs: between(5, 20),
      },
    ],
    workers: [{ count: 1, queues: ['photos'], concurrency: 1, prefetch: 1, service: { photos: { ms: exactly(500) } } }],
    script: [{ atMs: OFFLINE_AT_MS, fault: { type: 'partition', node: 'tab-1', forMs: OFFLINE_MS } }, ...faults],
  }
}

type Figure = 'saved' | 'inTunnel' | 'firstMs' | 'done' | 'lost' | 'twice'

export const offlineOutbox: Lesson<Figure, 1, 1> = {
  number: 15,
  name: 'offline-outbox',
  title: 'A phone in a tunnel: the outbox',
  teaser: 'Photos are taken, and there is no network. Where are they now?',
  rules: ['OUTBOX-1', 'OUTBOX-2', 'OUTBOX-3', 'SUBMIT-2', 'CLIENT-2', 'CLIENT-4'],
  problem: [
    'Somebody takes a photo each second and sends it from a page. Then the train enters a tunnel, for nine seconds.',
    'The person goes on taking photos. The page says “saved” each time, although nothing can leave the phone.',
    'Is that a lie?',
  ],
  runs: [{ label: 'a tunnel', scenario: scenario('a phone without network', []) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'saved', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded', 'nodeStopped'],
  measure(seen) {
    const backMs = OFFLINE_AT_MS + OFFLINE_MS
    const idsOf = (type: 'saved' | 'accepted' | 'outcome', untilMs = UNTIL_MS): Set<string> =>
      new Set(seen.flatMap((one) => (one.type === type && one.atMs <= untilMs ? [one.id] : [])))
    const without = (ids: Set<string>, others: Set<string>): number => [...ids].filter((id) => !others.has(id)).length
    const accepted = seen.flatMap((one) => (one.type === 'accepted' && one.atMs > backMs ? [one.atMs] : []))
    return {
      saved: idsOf('saved').size,
      inTunnel: without(idsOf('saved', backMs), idsOf('accepted', backMs)),
      done: idsOf('outcome').size,
      lost: without(idsOf('saved'), idsOf('outcome')),
      twice: [...runsByTask(handlerRunsOf(seen)).values()].filter((runs) => runs.length > 1).length,
      firstMs: accepted.length === 0 ? 0 : Math.min(...accepted) - backMs,
    }
  },
  figures: {
    saved: 'photos that the page called saved',
    inTunnel: 'photos on the phone, not yet accepted, when the tunnel ends',
    firstMs: 'ms from the end of the tunnel to the first acceptance',
    done: 'photos with a result',
    lost: 'photos without one',
    twice: 'photos that were worked on twice',
  },
  predict: {
    kind: 'number',
    question:
      'Twelve photos are taken, one a second. The tunnel lasts from second 3 to second 12. How many have no result at the end?',
    unit: 'photos',
    min: 0,
    max: 12,
    step: 1,
    outcome: ([run]) => run.lost,
  },
  observe: {
    kind: 'choice',
    question: 'Where were the photos that were taken in the tunnel?',
    options: [
      { text: 'With the broker, in its queue.', answer: 'Nothing could reach the broker.' },
      {
        text: 'In the storage of the phone.',
        answer: 'Yes, in the outbox of the page. They left when there was a network again.',
      },
      { text: 'On their way, in the air.', answer: 'A message that has no way is nowhere. Something must keep it.' },
    ],
    outcome: ([run]) => (run.inTunnel >= 5 ? 1 : 0),
  },
  explain: [
    '“Saved” was no lie. The page keeps each photo in an outbox: it first writes it to the storage of the device, and only then calls it saved. After that, it tries to send it.',
    '“Saved” and “accepted” are two promises. Saved: it is safe on this device and will be sent. Accepted: the broker has it safe.',
    'Each photo gets its id when it is saved, and keeps it. If the page is not sure whether a photo arrived, it sends it once more. The broker knows the id and makes no second task.',
    'After the tunnel, a moment passes. The page makes a new connection, says who it is, and then sends what it has saved.',
  ],
  change: {
    prompt: [
      'The same tunnel. But in the middle of it, the person closes the page, and opens it again four seconds later, still without a network.',
    ],
    runs: [
      {
        label: 'page closed',
        scenario: scenario('a phone without network, and a closed page', [
          { atMs: 7000, fault: { type: 'crash', node: 'tab-1', restartAfterMs: 4000 } },
        ]),
      },
    ],
    predict: {
      kind: 'number',
      question: 'How many of the saved photos are lost now?',
      unit: 'photos',
      min: 0,
      max: 12,
      step: 1,
      outcome: ([run]) => run.lost,
    },
    explain: [
      'None. The page was closed, and its storage was not. The new page found the old photos there and sent them.',
      'That is why a page should not keep what it sends in its own memory. Memory ends with the page, and people close pages.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'You write a letter by hand at the sea, far from any post office. Which step is like “saved”?',
    options: [
      { text: 'To think of what you want to write.', answer: 'That is the memory of the page. It is easily lost.' },
      {
        text: 'To put the finished letter into your bag, in a closed envelope.',
        answer: 'Yes. It has not left, but it will not change or vanish, and you will post it.',
      },
      { text: 'To hear that it has arrived.', answer: 'That is the outcome, much later.' },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'A browser that deletes the storage of a site, because the device is full or the site was not used for long. A person can do that, too.',
    'Several tabs of one phone. Then one tab sends for all, and another one takes over if it is gone.',
  ],
  claim: {
    text: 'What is saved on the device is done in the end, once each, through a time without network and a closed page.',
    holds: ([tunnel], [closed]) =>
      tunnel.saved === PHOTOS &&
      closed.saved === PHOTOS &&
      tunnel.inTunnel >= 5 &&
      [tunnel, closed].every(({ lost, twice, done }) => lost === 0 && twice === 0 && done === PHOTOS),
  },
}
