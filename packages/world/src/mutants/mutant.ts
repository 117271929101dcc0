/** The packages that mutants are planted in. */
export type PlantedPackage = 'broker' | 'client' | 'engine' | 'machines'

/**
 * What a mutant does to its piece of syntax. Pieces are patterns as pattern.ts reads them: layout, types, quotes and
 * braces around single statements do not matter, `$name` matches any expression or statement, and `…` matches any
 * number of them. A piece occurs exactly once in its function. New code may use what `$name` and `…` matched.
 */
export type Change =
  /** Replaces the piece by `put`. */
  | { find: string; put: string }
  /** Removes the piece: a statement, a property, an element, an argument, a case, or one side of an operator. */
  | { drop: string }
  /** Negates the condition. */
  | { negate: string }
  /** Code that runs before or after the statement that contains the piece. */
  | { insert: string; before: string }
  | { insert: string; after: string }
  /** Replaces the function's whole body. */
  | { body: string }

/** A deliberate bug. The checkers are measured by such bugs. */
export type Bug = Change & {
  /** A few words that name the bug. */
  name: string
  /**
   * The function, in any file of the package: `decide`, `Class.method`, `Class.#field`, or a constant. Something
   * inside it may follow by its name: a local function, a property, or a case by its value, as in `evolve.taskDied`.
   */
  in: string
  /** What it breaks for a user of the queue. */
  breaks: string
  /** Why no checker can be expected to see it, if that is so. */
  survives?: string
}

export type Mutant = Bug & { package: PlantedPackage }

/** The bugs of one package. */
export function mutantsOf(name: PlantedPackage, bugs: readonly Bug[]): readonly Mutant[] {
  return bugs.map((bug) => ({ package: name, ...bug }))
}
