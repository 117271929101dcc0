import { defaultScenario, type Scenario, type TimedChange } from '@sluice/world'
import { swarm } from '@sluice/world/fuzz'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Run } from '../../src/engine/run.ts'
import { askedBy, fuzzPlan } from '../../src/share/address.ts'
import { applied, differenceOf } from '../../src/share/difference.ts'
import { pack } from '../../src/share/packed.ts'
import { addressOf, runOfAddress, type SharedRun, ShareError } from '../../src/share/shared-run.ts'

const presets = { default: defaultScenario }

const changes: TimedChange[] = [
  { atMs: 4000, change: { type: 'workers', group: 0, count: 1 } },
  { atMs: 9500.5, change: { type: 'fault', fault: { type: 'crash', node: 'broker', restartAfterMs: 3000 } } },
]
const [group] = defaultScenario.producers
const scenario = {
  ...defaultScenario,
  durationMs: 90_000,
  producers: [
    { ...group, arrivals: { kind: 'steady', rate: 7 } },
    { ...group, count: 1 },
  ],
  engine: { queueTasksMax: 40 },
  faultRates: { reset: 5000 },
} as Scenario
const run: SharedRun = { preset: 'default', scenario, seed: 42, changes, atMs: 12_345.625, speed: 0.5 }

/** What a link of version 1 says. */
const packed = async (link: unknown): Promise<string> => `run=1.${await pack(JSON.stringify(link))}`
/** A link to the default run, which other tests spoil. */
async function fieldsOf(address: string): Promise<Record<string, unknown>> {
  const { unpack } = await import('../../src/share/packed.ts')
  return JSON.parse(await unpack(address.replace('run=1.', ''))) as Record<string, unknown>
}

test('a run is the same after its way through an address', async () => {
  const address = await addressOf(run, presets)
  expect(address).toMatch(/^run=1\.[\w-]+$/)
  expect(await runOfAddress(address, presets)).toEqual(run)
  expect(await askedBy(`#${address}`, presets)).toEqual({ kind: 'run', run })
})

test('a preset that is not changed needs a short link, and a changed one stays below 2 KB', async () => {
  const plain = await addressOf({ ...run, scenario: defaultScenario, changes: [], atMs: 0, speed: 1 }, presets)
  expect(plain.length).toBeLessThan(80)
  expect((await addressOf(run, presets)).length).toBeLessThan(600)
  const many = Array.from({ length: 40 }, (_, at) => ({ ...changes[at % 2], atMs: 1000 * at })) as TimedChange[]
  expect((await addressOf({ ...run, changes: many }, presets)).length).toBeLessThanOrEqual(2048)
  // A world of its own, in which hardly anything is as in the preset.
  expect((await addressOf({ ...run, scenario: swarm(7) }, presets)).length).toBeLessThanOrEqual(2048)
})

test('a run that is too long for a link says so', async () => {
  const endless = Array.from({ length: 2000 }, (_, at) => ({
    atMs: at * 31.125,
    change: { type: 'append', appendMs: { kind: 'constant', value: (at * 7919) % 1013 } },
  })) as TimedChange[]
  await expect(addressOf({ ...run, changes: endless }, presets)).rejects.toThrow(/characters, where 2048 is the most/)
})

/** Written by the first page that had links. They were sent to people, so they open for ever. */
const FIRST_LINKS = {
  plain: 'run=1.q1YqULJSSklNSyzNKVHSUcpQsjIyMzcwNDc1NzPTUSpWsjKsBQA',
  changed:
    'run=1.bVLBrtowEPyX6XWFnECInm99dy5Vb1EOhixgkdipveG9KPK_Vw4qcOjFllezM7szXjBCo-OzmXoB4Qpd7mtV1FW93xM66AXdFIxY7w4RuvlQSqmWMAbfTScOMSNUPkwI9m76DFpws66DRhQ23QxCMMLQdWoToVgRJz85gS7orfHZN3obo3fPxiIRxMTbg_zPxBNDQ67TcHTG9hGEL7aXq0BvCUffzZ-z8Dvj5OzZhwGEwTroShEG8w29UyolenEOxvZvbAXBj3n5lWsM1gcrM3RNCCxhflPg79E7dmJNJjAiPIwSD1mkInTcmzk7WK2C_53x5F0U43IOd9PncYpSpdSmlvADukwEdhfr-OXC72zK4bFIhq05_jIrb7MgcGRZNdVqfYTelYQTdNPslFK0QOYx7_3lwy2nSbgEP43Qip4RpZaaj0qpTfXC__swj1s_66dg4hUE57v8PAZ_45Bz5CgmyM-zcMg2bPNIqW0JWaHc7qrNvqwId2i1qdJf',
}

test('links of version 1 open for ever', async () => {
  expect(await runOfAddress(FIRST_LINKS.plain, presets)).toEqual({
    preset: 'default',
    scenario: defaultScenario,
    seed: 1,
    changes: [],
    atMs: 0,
    speed: 1,
  })
  expect(await runOfAddress(FIRST_LINKS.changed, presets)).toEqual(run)
})

test('a link that cannot be opened says what is wrong with it', async () => {
  const good = await addressOf(run, presets)
  const fields = await fieldsOf(good)
  const spoiled: [string, RegExp][] = [
    ['', /no link to a run/],
    ['run=1.', /copy all of it/],
    [good.replace('run=1.', 'run=9.'), /version 9, and this page reads up to 1/],
    [good.slice(0, -20), /damaged/],
    [`${good.slice(0, 30)}A${good.slice(31)}`, /./],
    [await packed({ ...fields, p: 'nowhere' }), /no preset “nowhere” here; there are default/],
    [await packed({ ...fields, p: 'constructor' }), /no preset “constructor”/],
    [await packed({ ...fields, h: 1 }), /preset “default” was another one/],
    [await packed({ ...fields, s: -1 }), /-1 as its seed, where a whole number must be/],
    [await packed({ ...fields, s: undefined }), /nothing as its seed/],
    [await packed({ ...fields, t: 'soon' }), /"soon" as its instant/],
    [await packed({ ...fields, v: 0 }), /0 as its speed/],
    [await packed({ ...fields, c: [[1000, 'crash']] }), /change 1/],
    [await packed({ ...fields, d: { producers: { x: [1] } } }), /scenario\.producers: x is no place in it/],
    [await packed({ ...fields, d: { durationMs: { x: [1] } } }), /scenario\.durationMs: there are no fields/],
    [await packed({ ...fields, d: { workers: 0 } }), /no scenario/],
    [await packed({ ...fields, d: { workers: { '#': 1e9 } } }), /1000000000 is no length/],
    [await packed('hello'), /preset/],
    [`run=1.${await pack(' '.repeat(600_000))}`, /damaged/],
  ]
  for (const [address, message] of spoiled) {
    const opened = runOfAddress(address, presets)
    await expect(opened, address).rejects.toThrow(message)
    await expect(opened, address).rejects.toBeInstanceOf(ShareError)
  }
})

test('a difference makes one piece of data of another, whatever they are', () => {
  // JSON knows no minus zero, and no scenario has a field that a link may not name.
  const data = fc
    .jsonValue({ maxDepth: 4 })
    .filter((value) => !JSON.stringify(value).includes('"__proto__"'))
    .map((value) => JSON.parse(JSON.stringify(value)) as unknown)
  fc.assert(
    fc.property(data, data, (from, to) => {
      const difference = differenceOf(from, to)
      const over = difference === undefined ? undefined : JSON.parse(JSON.stringify(difference))
      expect(applied(from, over)).toEqual(to)
      expect(differenceOf(to, structuredClone(to))).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})

test('a link of pnpm fuzz opens the world of that seed', async () => {
  expect(await askedBy('#fuzz=4711&at=3400.125', presets)).toEqual({ kind: 'fuzz', seed: 4711, atMs: 3400.125 })
  expect(await askedBy('#fuzz=4711', presets)).toEqual({ kind: 'fuzz', seed: 4711, atMs: 0 })
  for (const hash of ['', '#', '#lesson/what-a-queue-is-for'])
    expect(await askedBy(hash, presets)).toEqual({ kind: 'nothing' })
  await expect(askedBy('#fuzz=abc', presets)).rejects.toThrow('“abc” as its seed')
  await expect(askedBy('#fuzz=1&at=-3', presets)).rejects.toThrow('“-3” as its instant')
  const plan = await fuzzPlan(4711)
  expect(plan).toEqual({ scenario: swarm(4711), seed: 4711, changes: [] })
  const opened = new Run(plan)
  await opened.reach(1000)
  expect(opened.show(1000).stage.parts.length).toBeGreaterThan(1)
})
