/** The packages that mutants are planted in. */
export type PlantedPackage = 'broker' | 'client' | 'engine' | 'machines'

/**
 * What a mutant does to its piece of syntax. Pieces are patterns as pattern.ts reads them: layout, types, quotes and
 * braces around single statements do not matter, `$name` stands for any expression or statement and `…` for any number of
 * them. A piece stands exactly once in its function. New code may use what `$name` and `…` stand for.
 */
export type Change =
  /** The piece becomes `put`. */
  | { find: string; put: string }
  /** The piece goes: a statement, a property, an element, an argument, a case, or one side of an operator. */
  | { drop: string }
  /** The condition holds where it did not. */
  | { negate: string }
  /** Code that is run before or after the statement that the piece is in. */
  | { insert: string; before: string }
  | { insert: string; after: string }
  /** The function's whole body. */
  | { body: string }

/** A bug on purpose: what the checkers are measured by. */
export type Bug = Change & {
  /** A few words, as people would name the bug. */
  name: string
  /**
   * The function, wherever in the package it stands: `decide`, `Class.method`, `Class.#field`, or a constant. What is
   * inside of it may follow by its name: a local function, a property, or a case by its value, as in `evolve.taskDied`.
   */
  in: string
  /** What it breaks, for whoever uses the queue. */
  breaks: string
  /** Why no checker can be expected to see it, where that is so. */
  survives?: string
}

export type Mutant = Bug & { package: PlantedPackage }

/** The bugs of one package. */
export function mutantsOf(name: PlantedPackage, bugs: readonly Bug[]): readonly Mutant[] {
  return bugs.map((bug) => ({ package: name, ...bug }))
}
