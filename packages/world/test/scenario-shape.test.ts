import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_LIMITS } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { pinned } from '../src/fuzz/pinned.ts'
import { experimentOf } from '../src/fuzz/scenario-shape.ts'
import { ShapeError } from '../src/fuzz/shape.ts'
import { swarm } from '../src/fuzz/swarm.ts'
import { defaultScenario } from '../src/index.ts'

test('what is drawn, pinned or exported may be read from a file, and is what it was', () => {
  const drawn = Array.from({ length: 600 }, (_, seed) => ({ seed, scenario: swarm(seed) }))
  for (const experiment of [...drawn, { seed: 1, scenario: defaultScenario }])
    expect(experimentOf(JSON.parse(JSON.stringify(experiment)))).toEqual(experiment)
  for (const { seed, scenario } of pinned) expect(experimentOf({ seed, scenario })).toEqual({ seed, scenario })
})

test('limits that a file leaves out have their defaults', () => {
  const hosting = { limits: { frameBytesMax: 8192, bodyBytesMax: 1024 } }
  const { scenario } = experimentOf({ seed: 1, scenario: { ...defaultScenario, hosting } })
  expect(scenario.hosting?.limits).toEqual({ ...DEFAULT_LIMITS, ...hosting.limits })
})

const [producers] = defaultScenario.producers
const [workers] = defaultScenario.workers

function scripted(fault: object): object {
  return { script: [{ atMs: 1000, fault }] }
}

test.each<[object, string]>([
  [{ durationMs: '60 s' }, 'scenario.durationMs has to be a number of at least 1, not "60 s"'],
  [{ settleMs: undefined }, 'scenario.settleMs has to be a number of at least 0, not absent'],
  [{ settleMs: Number.NaN }, 'scenario.settleMs has to be a number'],
  [{ duration: 5 }, 'scenario has no field duration; it may have name, durationMs,'],
  [{ producers: {} }, 'scenario.producers has to be a list, not {}'],
  [{ producers: [{ ...producers, tasks: [] }] }, 'scenario.producers[0].tasks has to be a list of 1 at least'],
  [
    { producers: [{ ...producers, arrivals: { kind: 'often' } }] },
    'scenario.producers[0].arrivals.kind has to be one of steady, poisson, burst, ramp, closedLoop, not "often"',
  ],
  [
    { producers: [{ ...producers, cancels: 2 }] },
    'scenario.producers[0].cancels has to be a number from 0 to 1, not 2',
  ],
  [
    { workers: [{ ...workers, count: 1.5 }] },
    'scenario.workers[0].count has to be a whole number of at least 0, not 1.5',
  ],
  [
    { workers: [{ ...workers, falsehoods: ['lies'] }] },
    'scenario.workers[0].falsehoods[0] has to be one of inventsLeases,',
  ],
  [{ workers: [{ ...workers, queues: ['post'] }] }, 'scenario.workers[0].service has nothing for the queue post'],
  [{ network: { delayMs: 5 } }, 'scenario.network.delayMs has to be an object, not 5'],
  [{ network: { delayMs: { kind: 'constant' } } }, 'scenario.network.delayMs.value has to be a number of at least 0'],
  [{ engine: { queueTaskMax: 5 } }, 'scenario.engine has no field queueTaskMax; it may have queueTasksMax,'],
  [{ engine: { queueTasksMax: 0 } }, 'queueTasksMax must be a whole number of at least 1, not 0'],
  [{ hosting: { sendBufferBytesMax: 5000 } }, 'must be at most half of sendBufferBytesMax (5000)'],
  [{ hosting: { limits: { frameBytes: 5 } } }, 'scenario.hosting.limits has no field frameBytes'],
  [{ faultRates: { crush: 5 } }, 'scenario.faultRates has no field crush; it may have crash,'],
  [{ faultRates: { crash: 'often' } }, 'scenario.faultRates.crash has to be a number'],
  [
    { script: [{ fault: { type: 'failingDisk' } }] },
    'scenario.script[0].atMs has to be a number of at least 0, not absent',
  ],
  [scripted({ type: 'crush', node: 'broker' }), 'scenario.script[0].fault.type has to be one of crash, restart,'],
  [scripted({ type: 'reset' }), 'scenario.script[0].fault.node has to be a text, not absent'],
  [scripted({ type: 'reset', node: 'worker-5' }), 'scenario.script[0].fault.node: there is no worker-5, only broker,'],
  [scripted({ type: 'pause', node: 'broker' }), 'scenario.script[0].fault.forMs has to be a number of at least 0'],
  [scripted({ type: 'reset', node: 'broker', forMs: 5 }), 'scenario.script[0].fault has no field forMs'],
])('a scenario with %j is refused', (wrong, message) => {
  const read = () => experimentOf({ seed: 1, scenario: { ...defaultScenario, ...wrong } })
  expect(read).toThrow(ShapeError)
  expect(read).toThrow(message)
})

const main = fileURLToPath(new URL('../src/fuzz/main.ts', import.meta.url))

test.each(['--trace', '--json'])(
  'a file that cannot be written to for %s ends the command with 2 and one line',
  (flag) => {
    const file = join(tmpdir(), 'no such folder', 'file')
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, '--seed', '1', flag, file], {
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^.*no such folder.*ENOENT.*\n$/)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  },
)

test.each([
  [{ seed: 1, scenario: { name: 'x' } }, 'scenario.durationMs has to be a number of at least 1, not absent'],
  [{ seed: 1 }, 'there is no experiment in it'],
  [[], 'there is no experiment in it'],
])('%j is no experiment', (wrong, message) => {
  const read = () => experimentOf(wrong)
  expect(read).toThrow(ShapeError)
  expect(read).toThrow(message)
})

test.each([
  ['{"seed": 1}', 'there is no experiment in it'],
  ['{"seed":', 'JSON'],
])('a file that holds %s ends the command with 2 and one line that names it', (content, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'scenario-'))
  try {
    const file = join(folder, 'scenario.json')
    writeFileSync(file, content)
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, '--scenario', file], { encoding: 'utf8' })
    expect(stderr).toContain(`${file}: `)
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
