import type { Scale } from '../../bench.ts'
import { wholeBetween } from '../random.ts'
import { Stage, type StagedTask } from '../stage.ts'
import { type Shown, stagedFault } from '../staged-fault.ts'
import { SupervisedWorker } from '../supervised-worker.ts'
import type { Crash } from '../worker.ts'

const concurrency = 8
const workMsMax = 200
const leaseMs = 1000
/** A worker that is blocked is killed after its leases have expired. */
const answersWithinMs = 1500
const casesOf: Record<Scale, { tasks: number; casesARound: number }> = {
  full: { tasks: 40, casesARound: 2 },
  quick: { tasks: 24, casesARound: 2 },
}

/** How the bad one ends its process, and how many attempts each task has: 1 is `retry: none`. */
const cases: readonly { crash: Crash; attemptsMax: number }[] = [
  { crash: 'rejection', attemptsMax: 5 },
  { crash: 'exit', attemptsMax: 1 },
  { crash: 'block', attemptsMax: 2 },
  { crash: 'kill', attemptsMax: 5 },
  { crash: 'rejection', attemptsMax: 1 },
  { crash: 'exit', attemptsMax: 2 },
  { crash: 'block', attemptsMax: 1 },
  { crash: 'kill', attemptsMax: 2 },
  { crash: 'exit', attemptsMax: 5 },
  { crash: 'kill', attemptsMax: 1 },
  { crash: 'rejection', attemptsMax: 2 },
]

/** One task takes down each worker that runs it. It dies of that, and takes no other task along. */
export const crashAmongInnocents = stagedFault({
  name: 'crash-among-innocents',
  about: 'one task among 40 crashes or blocks each worker process that runs it',
  configuration(scale) {
    const { tasks, casesARound } = casesOf[scale]
    return {
      processes: 'one broker (strict), one worker that is started anew when it has ended',
      'tasks in a case': `${tasks}, one of them bad`,
      'the bad one':
        'ends the process at once, is killed with it at once, leaves a rejection unhandled in the midst of its work, or blocks',
      attempts: '5, 2, or 1 (retry: none)',
      'cases in a round': `${casesARound} of ${cases.length}, in turn`,
      concurrency,
      'handler ms': `0 – ${workMsMax}`,
      'lease ms': leaseMs,
      'a blocked worker is killed after ms': answersWithinMs,
    }
  },

  async run(scale, round, random): Promise<Shown> {
    const { tasks, casesARound } = casesOf[scale]
    const shown: Shown[] = []
    for (let index = 0; index < casesARound; index++)
      shown.push(await runCase(cases[(round * casesARound + index) % cases.length]!, tasks, random))
    return shown.reduce(sum)
  },
})

async function runCase(
  { crash, attemptsMax }: (typeof cases)[number],
  taskCount: number,
  random: () => number,
): Promise<Shown> {
  await using stage = await Stage.open({ heartbeatMs: 300, graceMs: 300 })
  const retry =
    attemptsMax === 1
      ? ({ kind: 'none' } as const)
      : ({ kind: 'fixed', attemptsMax, delayMs: 10, jitter: 'none' } as const)
  const badIndex = wholeBetween(random, 0, taskCount)
  // All are there before the worker is, so that they are delivered together.
  const submitted = await Promise.all(
    Array.from({ length: taskCount }, (_, index) =>
      stage.submit({ workMs: workMsMax * random(), ...(index === badIndex && { crash }) }, { leaseMs, retry }),
    ),
  )
  const bad = submitted[badIndex]!
  const innocents = submitted.filter((task) => task !== bad)
  const worker = new SupervisedWorker(() => stage.startWorker(concurrency), answersWithinMs)
  const { views, starts, broken } = await stage.judge().finally(() => worker.stop())

  const where = `${crash} with ${attemptsMax} attempts`
  const words = ({ id, outcome }: StagedTask) => `${id} (${where}): ${outcome}, begun ${starts.get(id)!.length} times`
  const isBegun = ({ id }: StagedTask) => starts.get(id)!.length > 0
  const succeeded = (task: StagedTask) => views.get(task.id)!.state === 'succeeded'
  const lostWithBad = (task: StagedTask) => !succeeded(task) && attemptsMax === 1 && isBegun(task)
  const { state, reason, attempts } = views.get(bad.id)!
  const diedRightly = state === 'dead' && reason === 'lease_expired' && attempts === attemptsMax
  return {
    measured: {
      innocents: { value: innocents.length, unit: 'tasks' },
      'innocents that succeeded': { value: innocents.filter(succeeded).length, unit: 'tasks' },
      'with one attempt, lost in the midst of it': { value: innocents.filter(lostWithBad).length, unit: 'tasks' },
      'innocents begun again': {
        value: innocents.filter(({ id }) => starts.get(id)!.length > 1).length,
        unit: 'tasks',
      },
      'ends of the worker': { value: worker.ends, unit: 'ends' },
      'runs of the bad one past its attempts': { value: starts.get(bad.id)!.length - attemptsMax, unit: 'runs' },
    },
    broken: {
      ...broken,
      'innocents that died unbegun': innocents.filter((task) => !succeeded(task) && !isBegun(task)).map(words),
      'innocents that died although they had an attempt left': innocents
        .filter((task) => !succeeded(task) && isBegun(task) && !lostWithBad(task))
        .map(words),
      'tasks with one attempt that were begun twice':
        attemptsMax === 1 ? submitted.filter(({ id }) => starts.get(id)!.length > 1).map(words) : [],
      'bad ones that did not die for their reason': diedRightly
        ? []
        : [`${words(bad)}: ${state}, ${reason}, ${attempts} attempts`],
    },
  }
}

function sum(one: Shown, other: Shown): Shown {
  return {
    measured: Object.fromEntries(
      Object.entries(one.measured).map(([name, { value, unit }]) => [
        name,
        { value: value + other.measured[name]!.value, unit },
      ]),
    ),
    broken: Object.fromEntries(
      Object.entries(one.broken).map(([name, found]) => [name, [...found, ...other.broken[name]!]]),
    ),
  }
}
