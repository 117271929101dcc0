import { expect, test } from 'vitest'
import type { Fault } from '../src/torture/fault.ts'
import { faults } from '../src/torture/faults/index.ts'
import { seedOf, torture } from '../src/torture/torture.ts'

/** What one quick round of each fault must have come across, so that its zeros mean something. */
const metWithin: Record<string, string> = {
  'kill-broker': 'tasks accepted',
  'kill-worker': 'tasks accepted',
  'pause-broker': 'tasks accepted',
  'pause-worker': 'duplicate deliveries',
  'frozen-worker': 'leases that it lost',
  'crash-among-innocents': 'ends of the worker',
  'crash-in-lazy-window': 'tasks with a ttl that were begun in time',
  'slow-sync': 'slow syncs',
  'disk-full': 'accepted before the failure',
  'failing-writes': 'accepted before the failure',
  'failing-sync': 'accepted before the failure',
  'cut-journal': 'opened with all before the cut',
  'bit-flips': 'refused as damaged',
}

/** On a machine that is busy elsewhere, a round can pass in which the fault meets nothing. */
const TRIES = 4

for (const fault of faults) {
  test.skipIf(fault.obstacle?.() !== undefined)(
    `${fault.about}: no promise is broken`,
    { timeout: 240_000 },
    async () => {
      for (let seed = 1; seed <= TRIES; seed++) {
        const lines: string[] = []
        const [result] = await torture({ faults: [fault], rounds: 1, seed, scale: 'quick' }, (line) => lines.push(line))
        expect(result!.findings).toEqual([])
        expect(lines[0]).toContain(`${fault.name} 1/1: `)
        const value = (name: string) => result!.figures.find((figure) => figure.name === name)?.median
        expect(value('rounds')).toBe(1)
        expect(result!.figures.filter(({ met }) => met === false)).toEqual([])
        if (value(metWithin[fault.name]!)! > 0) return
      }
      expect.fail(`no round of ${TRIES} has come across ${metWithin[fault.name]}`)
    },
  )
}

/** Finds something in its second round, and breaks off in its third. */
const bad: Fault = {
  name: 'bad',
  about: 'a fault that meets a broken promise',
  begin: async () => ({
    configuration: {},
    async run(round, seed) {
      if (round === 2) throw new Error('no third round')
      return { summary: `seed ${seed}`, findings: round === 1 ? ['one lost', 'two lost'] : [] }
    },
    figures: () => [],
    async [Symbol.asyncDispose]() {},
  }),
}
const impossible: Fault = { ...bad, name: 'impossible', obstacle: () => 'it takes a moon' }

test('findings are counted, told with their round, and kept; a round that breaks off is one', async () => {
  const lines: string[] = []
  const results = await torture({ faults: [bad, impossible], rounds: 5, seed: 7, scale: 'quick' }, (line) =>
    lines.push(line),
  )
  const [result, notRun] = results
  expect(result!.findings.slice(0, 2)).toEqual(['round 2: one lost', 'round 2: two lost'])
  expect(result!.findings[2]).toMatch(/^round 3: Error: no third round/)
  expect(result!.figures).toMatchObject([
    { name: 'rounds', median: 2 },
    { name: 'findings', median: 3, met: false },
  ])
  expect(lines).toContain('  FINDING bad, round 2: two lost')
  expect(notRun).toMatchObject({ obstacle: 'it takes a moon', figures: [] })
})

test('a round’s choices depend on seed, fault and round alone', () => {
  expect(seedOf(1, 'a', 0)).toBe(seedOf(1, 'a', 0))
  expect(new Set([seedOf(1, 'a', 0), seedOf(2, 'a', 0), seedOf(1, 'b', 0), seedOf(1, 'a', 1)]).size).toBe(4)
})
