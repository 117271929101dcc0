import { randomInt } from 'node:crypto'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { MUTANTS } from '../mutants/catalogue.ts'
import { phenomena } from '../phenomena/index.ts'
import { sectionOf } from '../phenomena/table.ts'
import { judge } from '../phenomena/trial.ts'
import { traceHeader, traceLine } from '../trace.ts'
import { ArgumentError, type Arguments, readArguments, USAGE } from './arguments.ts'
import { campaign, findingText } from './campaign.ts'
import { examine } from './examine.ts'
import { FileError } from './file-error.ts'
import { hunt, type Verdict } from './mutation.ts'
import { Pool } from './pool.ts'
import { ProgressBar } from './progress-bar.ts'
import { experimentOf } from './scenario-shape.ts'
import type { Experiment } from './shrink.ts'
import { speedOf } from './speed.ts'
import { summaryText } from './summary.ts'
import { swarm } from './swarm.ts'
import { tableText } from './table.ts'

/** How many rules have their story told, and how long shrinking one may take. */
const STORIES_MAX = 5
const STORY_MS = 20_000
/** The share of mutants that `--check` requires. */
const CAUGHT_MIN = 0.95
/** The speed of the default scenario on one core. */
const TIMES_REAL_TIME_MIN = 1000
/** 128 + SIGPIPE: the reader of the output has stopped reading, as in `pnpm fuzz | head`. */
const UNREAD = 141

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function configurationOf({ threads, seeds }: Arguments, first: number) {
  return { seeds, firstSeed: first, threads, node: process.version, processor: cpus()[0]?.model.trim() ?? 'unknown' }
}

/**
 * Checked before a run that takes its time.
 * @throws FileError
 */
function checkWritable(file: string | undefined): void {
  if (file === undefined) return
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw new FileError(file, error)
  }
}

function writeJson(file: string | undefined, value: object): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}

async function fuzz(args: Arguments, first: number): Promise<boolean> {
  const configuration = configurationOf(args, first)
  print(
    `seeds ${first} to ${first + args.seeds - 1}, ${args.threads} at once, Node ${process.version}, ${configuration.processor}`,
  )
  const pool = new Pool(args.threads)
  const bar = new ProgressBar(args.seeds)
  const { tally, findings, violating, tookMs } = await campaign(pool, first, args.seeds, ({ violating: bad }) =>
    bar.step(bad === 0 ? '' : `${bad} with a violation`),
  )
  bar.end()
  print(`\n${summaryText(tally, tookMs)}`)
  for (const finding of findings.slice(0, STORIES_MAX)) {
    const explanation = await pool.explain(finding.seed, undefined, finding.violation.rule, STORY_MS)
    if (explanation !== undefined) finding.explanation = explanation
    print(`\n${findingText(finding)}`)
  }
  await pool.close()
  for (const finding of findings.slice(STORIES_MAX)) print(`\n${findingText(finding)}`)
  const { simulatedMs, observations, events, tasks } = tally
  writeJson(args.json, {
    configuration,
    figures: {
      seeds: tally.runs,
      violating: violating.length,
      simulatedMs: Math.round(simulatedMs),
      tookMs: Math.round(tookMs),
      timesRealTime: Math.round(simulatedMs / tookMs),
      observations,
      events,
      tasks,
    },
    faults: Object.fromEntries(tally.faults),
    situations: Object.fromEntries(tally.situations),
    violating,
    findings,
  })
  return violating.length === 0
}

/**
 * Of a trace the header counts; of a file that `--json` wrote, the experiment itself.
 * @throws FileError
 */
function readExperiment(file: string): Experiment {
  try {
    const text = readFileSync(file, 'utf8')
    const newline = text.indexOf('\n')
    const isTrace = newline > 0 && text.slice(0, newline).includes('"format":"sluice-trace"')
    return experimentOf(JSON.parse(isTrace ? text.slice(0, newline) : text))
  } catch (error) {
    throw new FileError(file, error)
  }
}

async function replay(args: Arguments): Promise<boolean> {
  const experiment =
    args.scenario === undefined
      ? { seed: args.seed as number, scenario: swarm(args.seed as number) }
      : readExperiment(args.scenario)
  const lines = [traceHeader(experiment)]
  const { report, events } = await examine(
    experiment,
    args.trace === undefined ? {} : { onObservation: (observation) => lines.push(traceLine(observation)) },
  )
  if (args.trace !== undefined) writeFileSync(args.trace, `${lines.join('\n')}\n`)
  const { seed, hash, observations, simulatedMs, faults, violations, tasks } = report
  print(`seed ${seed}, hash ${hash}`)
  print(
    `${(simulatedMs / 1000).toFixed(1)} s simulated, ${observations} observations, ${events} events, ${faults.length} faults; ` +
      `${tasks.accepted} tasks accepted: ${tasks.succeeded} succeeded, ${tasks.dead} dead, ${tasks.cancelled} cancelled`,
  )
  if (violations.length === 0) print('no violation')
  const pool = new Pool(1)
  const rules = new Map(violations.map((violation) => [violation.rule, violation]))
  for (const [rule, violation] of rules) {
    const explanation = await pool.explain(seed, experiment.scenario, rule, STORY_MS)
    print(
      `\n${findingText({ seed, violation, isFromFile: args.scenario !== undefined, ...(explanation === undefined ? {} : { explanation }) })}`,
    )
    if (explanation !== undefined) writeJson(args.json, explanation.minimised)
  }
  await pool.close()
  return violations.length === 0
}

async function mutate(args: Arguments, first: number): Promise<boolean> {
  const wanted = (args.only ?? '').split(',')
  const chosen = MUTANTS.filter(({ name }) => wanted.some((text) => name.includes(text.trim())))
  if (chosen.length === 0)
    throw new ArgumentError(
      `--only ${args.only}: no mutant is named so; there are ${MUTANTS.map(({ name }) => name).join(', ')}`,
    )
  print(
    `${chosen.length} mutants, the pinned worlds and up to ${args.seeds} seeds from ${first} on, ${args.threads} at once`,
  )
  const sound = new Pool(1)
  const bar = new ProgressBar(chosen.length)
  const waiting = [...chosen]
  const verdicts: Verdict[] = []
  // After each one, because a whole run takes its time.
  const save = (): void =>
    writeJson(args.json, {
      configuration: configurationOf(args, first),
      figures: { mutants: verdicts.length, caught: verdicts.filter((verdict) => verdict.caught !== undefined).length },
      mutants: verdicts.map(({ mutant, caught: by, broken, notCounted }) => ({
        name: mutant.name,
        package: mutant.package,
        in: mutant.in,
        breaks: mutant.breaks,
        survives: mutant.survives,
        broken,
        caught: by,
        notCounted,
      })),
    })
  await Promise.all(
    Array.from({ length: args.threads }, async () => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        verdicts.push(await hunt(mutant, sound, first, args.seeds))
        bar.step(mutant.name)
        save()
      }
    }),
  )
  bar.end()
  await sound.close()
  const caught = verdicts.filter((verdict) => verdict.caught !== undefined).length
  const rows = MUTANTS.flatMap((mutant) => verdicts.filter((verdict) => verdict.mutant === mutant)).map(
    ({ mutant, caught: by, broken }) => [
      mutant.name,
      `${mutant.package}: ${mutant.in}`,
      by === undefined
        ? broken === undefined
          ? 'survived'
          : 'cannot be loaded'
        : `${by.rule} ${by.pinned === undefined ? `at seed ${by.seed} (${by.seeds})` : `in a pinned world: ${by.pinned}`}`,
    ],
  )
  print(`\n${tableText(['mutant', 'in', 'caught by'], rows)}`)
  print(`\n${caught} of ${verdicts.length} caught (${((100 * caught) / verdicts.length).toFixed(1)} %)`)
  for (const { mutant, caught: by, broken } of verdicts)
    if (broken !== undefined) print(`cannot be loaded: ${mutant.name}: ${broken}`)
    else if (by === undefined)
      print(`survived: ${mutant.name} (${mutant.breaks})${mutant.survives ? `: ${mutant.survives}` : ''}`)
  return caught >= CAUGHT_MIN * verdicts.length
}

async function measure(args: Arguments, first: number): Promise<boolean> {
  const pool = new Pool(args.threads)
  const bar = new ProgressBar(phenomena.length * args.seeds)
  const seeds = Array.from({ length: args.seeds }, (_, at) => first + at)
  let isSound = true
  for (const phenomenon of phenomena) {
    const runs = await Promise.all(
      seeds.map(async (seed) => {
        const figures = await pool.measure(phenomenon.name, seed)
        bar.step(phenomenon.name)
        return figures
      }),
    )
    const trial = { phenomenon, seeds, runs }
    isSound &&= judge(trial).every(({ holds }) => holds)
    print(sectionOf(trial))
  }
  bar.end()
  await pool.close()
  return isSound
}

async function speed(args: Arguments): Promise<boolean> {
  const { median, runs } = await speedOf(args.seeds, () => performance.now())
  const rounded = (value: number): number => Math.round(value)
  print(`${rounded(median)} × real time: the default scenario on one core, median of ${runs.length} runs`)
  print(`runs: ${runs.map(rounded).join(', ')}`)
  const { node, processor } = configurationOf(args, 0)
  writeJson(args.json, {
    configuration: { scenario: 'default', runs: runs.length, node, processor },
    figures: { timesRealTime: rounded(median), target: TIMES_REAL_TIME_MIN, runs: runs.map(rounded) },
  })
  return median >= TIMES_REAL_TIME_MIN
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2))
  if (args === undefined) {
    print(USAGE)
    return
  }
  checkWritable(args.json)
  checkWritable(args.trace)
  const first = args.seed ?? randomInt(2 ** 31)
  const isSound =
    args.mode === 'replay'
      ? await replay(args)
      : args.mode === 'mutants'
        ? await mutate(args, first)
        : args.mode === 'phenomena'
          ? await measure(args, args.seed ?? 1)
          : args.mode === 'speed'
            ? await speed(args)
            : await fuzz(args, first)
  if (args.check && !isSound) process.exitCode = 1
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(UNREAD))
try {
  await main()
} catch (error) {
  if (error instanceof FileError) process.stderr.write(`${error.message}\n`)
  else if (error instanceof ArgumentError) process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  else throw error
  process.exitCode = 2
}
