import { moduleReferences, parse, walk } from './syntax.ts'
import { type Finding, lineAt, type SourceFile } from './tree.ts'

const rule = 'one-queue'
const page = 'packages/simulator/src/'

/** What the page shows is what production does, so it makes no machine and decides nothing of a queue itself. */
const machineMakers = new Set(['createMachine', 'createActor', 'setup', 'machineOf', 'ChartRunner'])
const queueModules = /^(xstate$|@sluice\/(engine|broker|client)(\/|$))/

/** The simulator has no model of its own: no state chart, and no part of the engine, the broker or the client. */
export function checkOneQueue(files: SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => path.startsWith(page) && /\.tsx?$/.test(path))
    .flatMap(({ path, text }) => {
      const program = parse({ path, text })
      const finding = (offset: number, message: string): Finding => ({
        path,
        line: lineAt(text, offset),
        rule,
        message,
      })
      const modules = moduleReferences(program)
        .filter(({ specifier }) => queueModules.test(specifier))
        .map(({ specifier, offset }) =>
          finding(offset, `${specifier}: the queue runs in @sluice/world, and the page shows what was observed`),
        )
      const makers = [...walk(program)]
        .filter((node) => node.type === 'Identifier' && machineMakers.has(node.name as string))
        .map((node) => finding(node.start, `${node.name}: the page draws the machines that run and makes none`))
      return [...modules, ...makers]
    })
}
