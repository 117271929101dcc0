import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Measured, Scale } from './bench.ts'
import { benches } from './benches/index.ts'
import { machine } from './machine.ts'
import { formatConfiguration, formatFigures } from './table.ts'
import { endWhereUnread } from './unread-output.ts'

endWhereUnread()

const usage = `usage: pnpm bench [NAME…] [--quick] [--json FILE] [--check]

  NAME     ${benches.map(({ name }) => name).join(', ')}; all of them where none is named
  --quick  a few seconds in all, to see that it works; the figures mean nothing
  --json   also writes the figures and their configuration to FILE
  --check  exits 1 where a target is missed`

const options = {
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function readArguments() {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const { values, positionals } = readArguments()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}\n\n${usage}`)
  process.exit(2)
}

const scale: Scale = values.quick ? 'quick' : 'full'
const common = { ...machine(), scale }
console.log(formatConfiguration(common))
const configuration: Record<string, Measured['configuration']> = { machine: common }
const figures: (Measured['figures'][number] & { bench: string })[] = []
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue
  console.log(`\n${bench.name}`)
  const measured = await bench.run(scale)
  console.log(formatConfiguration(measured.configuration))
  console.log(`\n${formatFigures(measured.figures)}`)
  configuration[bench.name] = measured.configuration
  figures.push(...measured.figures.map((figure) => ({ bench: bench.name, ...figure })))
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ configuration, figures }, null, 2)}\n`)
const missed = figures.filter(({ met }) => met === false)
if (missed.length > 0) console.log(`\nmissed: ${missed.map(({ bench, name }) => `${bench}: ${name}`).join('; ')}`)
process.exit(values.check && missed.length > 0 ? 1 : 0)
