/** A bug on purpose: what the checkers are measured by. */
export interface Mutant {
  /** A few words, as people would name the bug. */
  name: string
  /** Below `packages/`. */
  file: string
  /** Stands in the file exactly once. */
  find: string
  replace: string
  /** What it breaks, for whoever uses the queue. */
  breaks: string
  /** Why no checker can be expected to see it, where that is so. */
  survives?: string
}
