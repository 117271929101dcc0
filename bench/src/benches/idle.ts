import type { Bench } from '../bench.ts'
import { startBroker } from '../broker.ts'
import { Processes } from '../child.ts'
import { atMost, figure } from '../figure.ts'
import type { MemoryUse } from '../processes/broker.ts'
import { queue } from '../system.ts'
import { sleep, until } from '../wait.ts'

const idleWorkers = new URL('../processes/idle-workers.ts', import.meta.url)

interface Growth {
  rssKilobytes: number
  heapKilobytes: number
}

/** What each of `count` idle workers, spread over `clients` processes, costs the broker. */
async function connect(count: number, clients: number, settleMs: number): Promise<Growth> {
  await using processes = new Processes()
  const broker = await startBroker(processes, { durability: 'memory' }, ['--expose-gc'])
  // The first connections pay for code and buffers that all others share.
  await processes.start(idleWorkers, { url: broker.url, queue, count: 10 })
  const before = await broker.child.call<MemoryUse>('memory')
  const each = count / clients
  for (let client = 0; client < clients; client++)
    await processes.start(idleWorkers, { url: broker.url, queue, count: each })
  const connected = async () => {
    const answer = await fetch(`${broker.httpUrl}/v1/queues`)
    const { queues } = (await answer.json()) as { queues: { name: string; workers: number }[] }
    return queues.some(({ name, workers }) => name === queue && workers >= count)
  }
  await until(`${count} workers are connected`, connected, 60_000)
  await sleep(settleMs)
  const after = await broker.child.call<MemoryUse>('memory')
  return {
    rssKilobytes: (after.rss - before.rss) / count / 1000,
    heapKilobytes: (after.heapUsed + after.external - before.heapUsed - before.external) / count / 1000,
  }
}

export const idle: Bench = {
  name: 'idle',
  async run(scale) {
    const count = scale === 'full' ? 10_000 : 200
    const clients = scale === 'full' ? 4 : 2
    const repetitions = scale === 'full' ? 3 : 1
    const settleMs = scale === 'full' ? 3000 : 100
    const growths: Growth[] = []
    for (let round = 0; round < repetitions; round++) growths.push(await connect(count, clients, settleMs))
    return {
      configuration: {
        connections: count,
        'client processes': clients,
        load: 'each has said hello as a worker and given credit of 8 for one queue; no tasks',
        measured: 'resident memory of the broker after garbage collection, with all connections less with 10',
        repetitions,
      },
      figures: [
        figure(
          'resident memory for a connection',
          'kB',
          growths.map(({ rssKilobytes }) => rssKilobytes),
          atMost(30),
        ),
        figure(
          'of it, JavaScript heap and buffers',
          'kB',
          growths.map(({ heapKilobytes }) => heapKilobytes),
        ),
      ],
    }
  },
}
