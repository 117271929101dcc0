import type { Scale } from '../../bench.ts'
import type { Child } from '../../child.ts'
import { sleep, until } from '../../wait.ts'
import type { Told } from '../heard.ts'
import { isDeadOutcome } from '../outcome.ts'
import { Stage } from '../stage.ts'
import { type Shown, stagedFault } from '../staged-fault.ts'

const taskCount = 20
const ttlMs = 500
const graceMs = 600
const heartbeatMs = 300
const leaseMs = 3000
const killedWithinMs = 30
const kills = 4
/** The lone task's handler outlasts all kills. */
const loneWorkMs = 4000
const retry = { kind: 'fixed', attemptsMax: 1000, delayMs: 10 } as const
/** Whether the worker dies as well, by trial: `timed` those with a ttl, `lone` those with one attempt. */
const trialsOf: Record<Scale, (round: number) => { timed: boolean; lone: boolean }[]> = {
  full: () => [
    { timed: false, lone: true },
    { timed: true, lone: false },
  ],
  quick: (round) => [{ timed: round % 2 === 1, lone: round % 2 === 0 }],
}

/** The broker is killed so soon after a delivery that what may be written late is lost. */
export const crashInLazyWindow = stagedFault({
  name: 'crash-in-lazy-window',
  about: 'kill -9 of the broker 0 – 30 ms after deliveries of tasks with a ttl or with retry: none',
  configuration(scale) {
    return {
      processes: 'one broker (strict), one worker that goes on, or is killed as well and started anew',
      trials: `${trialsOf[scale](0).length} of each in a round`,
      'with a ttl': `${taskCount} tasks of ${ttlMs} ms; started again after that`,
      'with retry: none': `one task, over ${kills} kills`,
      'session grace ms': graceMs,
    }
  },

  async run(scale, round, random): Promise<Shown> {
    const shown = { trials: 0, inTime: 0, runs: 0, broken: new Map<string, string[]>() }
    const take = (broken: Record<string, readonly string[]>) => {
      for (const [name, found] of Object.entries(broken))
        shown.broken.set(name, [...(shown.broken.get(name) ?? []), ...found])
    }
    for (const workerDies of trialsOf[scale](round)) {
      const timed = await withTimeToLive(workerDies.timed, random)
      const lone = await withOneAttempt(workerDies.lone, random)
      shown.trials++
      shown.inTime += timed.inTime
      shown.runs += lone.runs
      take(timed.broken)
      take(lone.broken)
    }
    return {
      measured: {
        'trials of each': { value: shown.trials, unit: 'trials' },
        'tasks with a ttl that were begun in time': { value: shown.inTime, unit: 'tasks' },
        'tasks with one attempt that were begun': { value: shown.runs, unit: 'tasks' },
      },
      broken: Object.fromEntries(shown.broken),
    }
  },
})

async function withTimeToLive(workerDies: boolean, random: () => number) {
  await using stage = await Stage.open({ heartbeatMs, graceMs })
  const worker = await stage.startWorker(taskCount)
  await isConnected(worker.child)
  const options = { ttlMs, leaseMs, retry }
  const tasks = await Promise.all(Array.from({ length: taskCount }, () => stage.submit({ workMs: ttlMs }, options)))
  const isSeen = async () => stage.starts().length === taskCount || tasks.every(({ outcome }) => outcome !== undefined)
  await until('the tasks are begun', isSeen, 10_000, 1)
  await sleep(killedWithinMs * random())
  await stage.killBroker()
  if (workerDies) await worker.child.kill()
  const begun = new Set(stage.starts().map(({ id }) => id))
  await sleep(ttlMs)
  await stage.startAgain()
  if (workerDies) await stage.startWorker(taskCount)
  const { views, broken } = await stage.judge()
  const dead = tasks.filter(({ id, outcome }) => begun.has(id) && outcome !== undefined && isDeadOutcome(outcome))
  return {
    inTime: begun.size,
    broken: {
      ...broken,
      'begun in time, and dead afterwards': dead.map(({ id }) => `${id} ${views.get(id)!.reason}`),
    },
  }
}

async function withOneAttempt(workerDies: boolean, random: () => number) {
  await using stage = await Stage.open({ heartbeatMs, graceMs })
  let worker = await stage.startWorker(1)
  await isConnected(worker.child)
  const task = await stage.submit({ workMs: loneWorkMs }, { leaseMs, retry: { kind: 'none' } })
  const isBegun = async () => stage.starts().length > 0
  if (random() < 0.5) await until('the task is begun', isBegun, 10_000, 1)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(killedWithinMs * random())
    await stage.killBroker()
    if (workerDies) await worker.child.kill()
    await stage.startAgain()
    if (workerDies) worker = await stage.startWorker(1)
    await isConnected(worker.child, workerDies ? 1 : kill + 2)
  }
  const { starts, broken } = await stage.judge()
  const runs = starts.get(task.id)!.length
  return {
    runs,
    broken: { ...broken, 'with one attempt, begun twice': runs > 1 ? [`${task.id} ${runs} times`] : [] },
  }
}

/** For the `times`-th time. */
async function isConnected(worker: Child, times = 1): Promise<void> {
  const isWelcome = async () => (await worker.call<Told>('told')).welcomes >= times
  await until('the worker is connected', isWelcome, 30_000)
}
