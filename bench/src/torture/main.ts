import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from '../machine.ts'
import { formatConfiguration, formatFigures } from '../table.ts'
import { torture } from './torture.ts'

const usage = `usage: pnpm torture [--rounds N] [--seed S] [--json FILE] [--check]

  --rounds N  kills of the broker, and as many of a worker; 5 where it is not said
  --seed S    the moments of the kills; a new one each time where it is not said
  --json      also writes the figures and their configuration to FILE
  --check     exits 1 where a target is missed`

const options = {
  rounds: { type: 'string', default: '5' },
  seed: { type: 'string' },
  json: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function fail(message: string): never {
  console.error(`${message}\n\n${usage}`)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return fail((error as Error).message)
  }
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < min) fail(`--${name} is a whole number of at least ${min}, not ${text}`)
  return value
}

const values = readArguments()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const rounds = wholeNumber('rounds', values.rounds, 1)
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', values.seed, 0)

const common = machine()
console.log(`${formatConfiguration(common)}\n\nseed ${seed}`)
const measured = await torture(
  { rounds, seed, inFlight: 200, concurrency: 50, workMsMax: 40, loadMs: 1500, graceMs: 10_000, recheckMax: 20_000 },
  console.log,
)
console.log(`\n${formatConfiguration(measured.configuration)}\n\n${formatFigures(measured.figures)}`)
if (values.json) {
  const configuration = { machine: common, torture: measured.configuration }
  writeFileSync(values.json, `${JSON.stringify({ configuration, figures: measured.figures }, null, 2)}\n`)
}
const missed = measured.figures.some(({ met }) => met === false)
process.exit(values.check && missed ? 1 : 0)
