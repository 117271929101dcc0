import { journalContract } from '@sluice/broker/journal-contract'
import { openJournal, SimulatedDisk } from '../../src/journal/index.ts'
import { RandomSource } from '../../src/random.ts'
import type { JournalProfile } from '../../src/scenario.ts'

const noTime = { kind: 'constant', value: 0 } as const
const someTime = { kind: 'uniform', min: 0, max: 2 } as const

const profiles: Record<string, JournalProfile> = {
  'at once': { appendMs: noTime, readMs: noTime },
  'at once, resolving': { appendMs: noTime, readMs: noTime, isSynchronous: false },
  slow: { appendMs: someTime, readMs: someTime },
  'slow, relaxed': { appendMs: someTime, readMs: noTime, durability: 'relaxed' },
}

function setTimer(fn: () => void, ms: number): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

for (const [name, profile] of Object.entries(profiles))
  journalContract({
    name: `simulated journal, ${name}`,
    durability: profile.durability ?? 'strict',
    place() {
      const random = new RandomSource(1)
      const disk = new SimulatedDisk(random.stream('disk'))
      const surroundings = { clock: { setTimer }, random: random.stream('journal'), profile, incarnation: 1 }
      return { open: () => openJournal(disk, { ...surroundings, observe: () => {} }), remove: () => {} }
    },
  })
