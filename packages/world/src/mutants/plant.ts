import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'

/** Where `packages/` begins, as the start of every module's address. */
const packages = new URL('../../..', import.meta.url).href

/** The mutant's file on this machine. */
export function mutantPath({ file }: Mutant): string {
  return fileURLToPath(new URL(file, packages))
}

/** The text of a file with the bug in it. Throws unless `find` is there exactly once. */
export function mutated({ name, file, find, replace }: Mutant, text: string): string {
  const [before, after, ...more] = text.split(find)
  if (after === undefined || more.length > 0) {
    throw new Error(
      `mutant "${name}": what it replaces is ${after === undefined ? 'not' : 'more than once'} in ${file}`,
    )
  }
  return `${before}${replace}${after}`
}

/** From here on, modules that are loaded have these bugs. What is loaded already keeps its sense. */
export function plant(mutants: readonly Mutant[]): void {
  registerHooks({
    load(url, context, nextLoad) {
      const here = mutants.filter(({ file }) => url === new URL(file, packages).href)
      if (here.length === 0) return nextLoad(url, context)
      const text = readFileSync(fileURLToPath(url), 'utf8')
      const source = here.reduce((changed, mutant) => mutated(mutant, changed), text)
      return { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}
