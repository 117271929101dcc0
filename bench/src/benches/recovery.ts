import type { Bench } from '../bench.ts'
import { bodyBytes } from '../body.ts'
import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { atMost, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import { queue } from '../system.ts'
import { until } from '../wait.ts'

const rawProducer = new URL('../processes/raw-producer.ts', import.meta.url)

/** Milliseconds from the start of the process that takes over the journal to its first `200` on `/readyz`. */
async function recover(waiting: number): Promise<number> {
  using scratch = new Scratch()
  await using processes = new Processes()
  const path = scratch.file('journal.db')
  const settings = { durability: 'strict', path, engine: { queueTasksMax: waiting } } as const
  const first = await startBroker(processes, settings)
  const producer = await processes.start(rawProducer, { url: first.url, queue })
  await producer.call('fill', { count: waiting, watch: false })
  await Promise.all([producer.kill(), first.child.kill()])

  const startMs = performance.now()
  const second = await startBroker(processes, settings)
  const ready = async () => (await fetch(`${second.httpUrl}/readyz`)).status === 200
  await until('the broker is ready', ready, 300_000)
  const elapsedMs = performance.now() - startMs

  const { queues } = (await (await fetch(`${second.httpUrl}/v1/queues`)).json()) as {
    queues: { name: string; ready: number }[]
  }
  const kept = queues.find(({ name }) => name === queue)?.ready
  if (kept !== waiting) throw new Error(`${waiting} tasks were accepted, and ${kept} are there after the restart`)
  return elapsedMs
}

export const recovery: Bench = {
  name: 'recovery',
  async run(scale) {
    const waiting = scale === 'full' ? 1_000_000 : 5000
    const repetitions = scale === 'full' ? 3 : 1
    const samples: number[] = []
    for (let round = 0; round < repetitions; round++) samples.push((await recover(waiting)) / 1000)
    return {
      configuration: {
        durability: 'strict',
        'tasks waiting': waiting,
        'body bytes': bodyBytes,
        measured: 'kill -9, then from the start of the new process to 200 on /readyz; all tasks are there again',
        repetitions,
      },
      figures: [figure(`ready with ${waiting.toLocaleString('en')} waiting`, 's', samples, atMost(10))],
    }
  },
}
