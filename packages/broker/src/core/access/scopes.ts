/** What a scope may allow on a queue. `admin` allows everything. */
export const QUEUE_ACTIONS = ['submit', 'work', 'read', 'cancel', 'manage'] as const

export type QueueAction = (typeof QUEUE_ACTIONS)[number]

/** The maximum number of cached decisions for one principal. With the cache a message costs one lookup. */
const DECISIONS_MAX = 1000

/** The maximum number of cached permissions, by their text. */
const TEXTS_MAX = 1000

const scopesOfTexts = new Map<string, Scopes>()

/** The permissions in this text. Equal texts share one object, so that a thousand connections of a program take no more. */
export function scopesOf(text: string): Scopes {
  const known = scopesOfTexts.get(text)
  if (known !== undefined) return known
  if (scopesOfTexts.size >= TEXTS_MAX) scopesOfTexts.clear()
  const scopes = new Scopes(text)
  scopesOfTexts.set(text, scopes)
  return scopes
}

/**
 * The permissions of a principal, from text such as `submit:photos.* work:photos read:*`.
 *
 * A scope is `ACTION:PATTERN`, or `ACTION` alone for every queue. A pattern is a queue name, or a prefix of one
 * followed by `*`. `admin` stands alone. Unknown words are ignored, because one token may serve several programs.
 */
export class Scopes {
  readonly isAdmin: boolean
  readonly #patterns = new Map<QueueAction, string[]>()
  readonly #decisions = new Map<string, boolean>()

  constructor(text: string) {
    const words = text.split(/\s+/).filter((word) => word !== '')
    this.isAdmin = words.includes('admin')
    for (const word of words) {
      const scope = parsed(word)
      if (scope === undefined) continue
      const patterns = this.#patterns.get(scope.action) ?? []
      this.#patterns.set(scope.action, [...patterns, scope.pattern])
    }
  }

  allow(action: QueueAction, queue: string): boolean {
    if (this.isAdmin) return true
    const patterns = this.#patterns.get(action)
    if (patterns === undefined) return false
    const key = `${action} ${queue}`
    const decided = this.#decisions.get(key)
    if (decided !== undefined) return decided
    const allowed = patterns.some((pattern) => matches(pattern, queue))
    if (this.#decisions.size >= DECISIONS_MAX) this.#decisions.clear()
    this.#decisions.set(key, allowed)
    return allowed
  }
}

/** The faults of a list of scopes that a person wrote, one sentence each. Empty if all are scopes of Sluice. */
export function problemsOfScopes(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return ['At least one scope is needed, such as submit:photos.*']
  return words.flatMap((word) =>
    word === 'admin' || parsed(word) !== undefined
      ? []
      : [
          `${word} is no scope: write ACTION:QUEUE with an action of ${QUEUE_ACTIONS.join(', ')} and a queue name that may end with *, or admin`,
        ],
  )
}

function parsed(word: string): { action: QueueAction; pattern: string } | undefined {
  const colon = word.indexOf(':')
  const action = (colon === -1 ? word : word.slice(0, colon)) as QueueAction
  const pattern = colon === -1 ? '*' : word.slice(colon + 1)
  if (!QUEUE_ACTIONS.includes(action) || !PATTERN.test(pattern)) return undefined
  return { action, pattern }
}

/** A queue name [MSG-3], or a prefix of one followed by `*`. */
const PATTERN = /^(\*|[A-Za-z0-9][A-Za-z0-9._:/-]*\*?)$/

function matches(pattern: string, queue: string): boolean {
  return pattern.endsWith('*') ? queue.startsWith(pattern.slice(0, -1)) : pattern === queue
}
