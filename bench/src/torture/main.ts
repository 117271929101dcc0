import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Configuration, Scale } from '../bench.ts'
import { browserTrials } from '../browser/browser.ts'
import { trials } from '../browser/trials/index.ts'
import type { Figure } from '../figure.ts'
import { attacks } from '../hostile/attacks/index.ts'
import { hostile } from '../hostile/hostile.ts'
import { machine } from '../machine.ts'
import { formatConfiguration, formatFigures } from '../table.ts'
import { endWhereUnread } from '../unread-output.ts'
import { faults } from './faults/index.ts'
import { torture } from './torture.ts'

endWhereUnread()

const width = Math.max(...[...faults, ...attacks, ...trials].map(({ name }) => name.length))
const usage = `usage: pnpm torture [--faults A,B] [--rounds N] [--seed S] [--quick] [--json FILE] [--check]
       pnpm torture --hostile [--attacks A,B] [--frames N] [--seed S] [--quick] [--json FILE] [--check]
       pnpm torture --browser [--trials A,B] [--rounds N] [--hidden-s N] [--seed S] [--quick] [--json FILE] [--check]

  --faults A,B  some faults alone, out of:
${faults.map(({ name, about }) => `                  ${name.padEnd(width)}  ${about}`).join('\n')}
  --hostile     attacks by strangers and by principals, in place of faults
  --attacks A,B some attacks alone, out of:
${attacks.map(({ name, about }) => `                  ${name.padEnd(width)}  ${about}`).join('\n')}
  --browser     what befalls the pages of a real browser, in place of faults
  --trials A,B  some trials alone, out of:
${trials.map(({ name, about }) => `                  ${name.padEnd(width)}  ${about}`).join('\n')}
  --hidden-s N  how long a tab is hidden; 600 where it is not said, and 4 with --quick
  --frames N    mutated frames; 1,000,000 where it is not said
  --rounds N    rounds of each fault or trial; 5 where it is not said
  --seed S      all that is left to chance; a new one each time where it is not said
  --quick       small rounds, to see that it works; the figures mean little
  --json FILE   also writes figures, findings and their configuration to FILE
  --check       exits 1 where a target is missed`

const options = {
  faults: { type: 'string' },
  hostile: { type: 'boolean', default: false },
  attacks: { type: 'string' },
  browser: { type: 'boolean', default: false },
  trials: { type: 'string' },
  frames: { type: 'string' },
  'hidden-s': { type: 'string' },
  rounds: { type: 'string', default: '5' },
  seed: { type: 'string' },
  quick: { type: 'boolean', default: false },
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
if (values.hostile) await runHostile()
if (values.browser) await runBrowser()
const chosenFaults = chosen('fault', faults, values.faults)
const scale: Scale = values.quick ? 'quick' : 'full'

const common = { ...machine(), scale, seed, 'rounds of each fault': rounds }
console.log(formatConfiguration(common))
const results = await torture({ faults: chosenFaults, rounds, seed, scale }, console.error)
for (const { fault, obstacle, configuration, figures, findings } of results) {
  console.log(`\n${fault}`)
  if (obstacle !== undefined) {
    console.log(`  not run: ${obstacle}`)
    continue
  }
  console.log(`${formatConfiguration(configuration)}\n\n${formatFigures(figures)}`)
  for (const finding of findings) console.log(`  ${finding}`)
}
if (values.json) {
  const configuration = Object.fromEntries(results.map((result) => [result.fault, result.configuration]))
  const figures = results.flatMap(({ fault, figures }) => figures.map((figure) => ({ fault, ...figure })))
  const notRun = results.flatMap(({ fault, obstacle }) => (obstacle === undefined ? [] : [{ fault, obstacle }]))
  const findings = results.flatMap(({ fault, findings }) => findings.map((finding) => ({ fault, finding })))
  const written = { configuration: { machine: common, ...configuration }, figures, findings, notRun }
  writeFileSync(values.json, `${JSON.stringify(written, null, 2)}\n`)
}
const missed = results.flatMap(({ fault, figures }) =>
  figures.filter(({ met }) => met === false).map(({ name }) => `${fault}: ${name}`),
)
if (missed.length > 0) console.log(`\nmissed: ${missed.join('; ')}`)
process.exit(values.check && missed.length > 0 ? 1 : 0)

/** Those of `all` that were asked for by name, or all of them. */
function chosen<T extends { name: string }>(what: string, all: readonly T[], asked: string | undefined): T[] {
  const names = asked?.split(',') ?? all.map(({ name }) => name)
  const unknown = names.filter((name) => !all.some((each) => each.name === name))
  if (unknown.length > 0) fail(`no ${what} is called ${unknown.join(', ')}`)
  return all.filter(({ name }) => names.includes(name))
}

interface Result {
  configuration: Configuration
  figures: Figure[]
  findings: string[]
  obstacle?: string
}

/** Prints one result. A long run that breaks off has shown those before it. */
function show(name: string, { configuration, figures, findings, obstacle }: Result): void {
  if (obstacle !== undefined) {
    console.log(`\n${name}\n  not run: ${obstacle}`)
    return
  }
  console.log(`\n${name}\n${formatConfiguration(configuration)}\n\n${formatFigures(figures)}`)
  for (const finding of findings) console.log(`  ${finding}`)
}

/** Writes the results, says what was missed, and ends. */
function ended(common: Configuration, results: readonly ({ name: string } & Result)[]): never {
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ configuration: common, results }, null, 2)}\n`)
  const missed = results.flatMap(({ name: of, figures }) =>
    figures.filter(({ met }) => met === false).map(({ name }) => `${of}: ${name}`),
  )
  if (missed.length > 0) console.log(`\nmissed: ${missed.join('; ')}`)
  process.exit(values.check && missed.length > 0 ? 1 : 0)
}

/** Makes the attacks instead, and ends. */
async function runHostile(): Promise<never> {
  const scale: Scale = values.quick ? 'quick' : 'full'
  const common = { ...machine(), scale, seed }
  console.log(formatConfiguration(common))
  const attempts: Record<string, number> = {}
  if (values.frames !== undefined) attempts.frames = wholeNumber('frames', values.frames, 1)
  const made = chosen('attack', attacks, values.attacks)
  const results = await hostile({ attacks: made, seed, scale, attempts }, (line, result) => {
    console.error(line)
    show(result.attack, result)
  })
  return ended(
    common,
    results.map(({ attack, ...result }) => ({ name: attack, ...result })),
  )
}

/** Makes the trials in a browser instead, and ends. */
async function runBrowser(): Promise<never> {
  const scale: Scale = values.quick ? 'quick' : 'full'
  const hiddenS = wholeNumber('hidden-s', values['hidden-s'] ?? (values.quick ? '4' : '600'), 1)
  const common = { ...machine(), scale, seed, rounds, 'hidden for s': hiddenS }
  console.log(formatConfiguration(common))
  const made = chosen('trial', trials, values.trials)
  const results = await browserTrials(
    { trials: made, rounds, seed, scale, hiddenMs: hiddenS * 1000 },
    console.error,
    show,
  )
  return ended(common, results)
}
