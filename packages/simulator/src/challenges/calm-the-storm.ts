import type { ProducerGroup, Scenario } from '@sluice/world'
import { impatientUsers, submissionsOf, usefulOf } from '@sluice/world/phenomena'
import type { Challenge, Knob } from './challenge.ts'

const PATIENCE_MS = 1000
const DURATION_MS = 36_000

function users(change: (group: ProducerGroup) => Partial<ProducerGroup>): (scenario: Scenario) => Scenario {
  return (scenario) => ({ ...scenario, producers: scenario.producers.map((group) => ({ ...group, ...change(group) })) })
}

function budgetOf({ producers }: Scenario): number {
  const backOff = producers[0]?.impatientBackOff
  return backOff?.kind === 'budget' ? Math.round(backOff.ratio * 100) : 100
}

const budget: Knob = {
  label: 'retries allowed for 100 first tries',
  unit: 'retries',
  min: 0,
  max: 100,
  step: 5,
  cost: 0,
  free: 0,
  read: budgetOf,
  write: (scenario, percent) => users(() => ({ impatientBackOff: { kind: 'budget', ratio: percent / 100 } }))(scenario),
}

/** One task in ten fails at first. The queue tries it again by itself, but too late for its user. */
function storm(): Scenario {
  const scenario = impatientUsers(
    'a storm',
    {
      perSecond: 6,
      serviceMs: 90,
      patienceMs: PATIENCE_MS,
      triggerAtMs: 8000,
      triggerMs: 2500,
      durationMs: DURATION_MS,
      settleMs: 5000,
    },
    { kind: 'budget', ratio: 1 },
  )
  return {
    ...users(({ tasks }) => ({
      tasks: tasks.map((task) => ({ ...task, options: { retry: { kind: 'fixed', attemptsMax: 2, delayMs: 5000 } } })),
    }))(scenario),
    workers: scenario.workers.map((group) => ({
      ...group,
      service: { '*': { ms: { kind: 'constant', value: 90 }, fails: 0.1 } },
    })),
  }
}

export const calmTheStorm: Challenge<'served' | 'atLast'> = {
  name: 'calm-the-storm',
  title: 'Calm the storm',
  text: [
    'Six people a second, and one worker that can do eleven. One task in ten fails, and the queue tries it again five seconds later. Somebody who waits for more than a second clicks again, up to three times.',
    'After eight seconds the worker stands still for a moment. If you allow no second click, each failure is a lost customer. If you allow all of them, the system never comes back. How many do you allow?',
  ],
  scenario: storm(),
  knobs: [budget],
  budget: 0,
  seeds: [1, 2, 3, 4, 5],
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const served = new Set(usefulOf(submissions, PATIENCE_MS).map(({ wish }) => wish))
    const share = (fromMs: number): number => {
      const people = submissions.filter(({ attempt, submittedAtMs }) => attempt === 1 && submittedAtMs >= fromMs)
      return people.filter(({ wish }) => served.has(wish)).length / people.length
    }
    return { served: share(0), atLast: share((DURATION_MS * 2) / 3) }
  },
  figures: { served: 'share of people served in time, at one of their clicks', atLast: '… in the last third' },
  goals: [
    { text: 'In the last third, 98 of 100 people are served in time.', holds: ({ atLast }) => atLast >= 0.98 },
    { text: 'Over all, 82 of 100 are.', holds: ({ served }) => served >= 0.82 },
  ],
  solution: [15],
}
