/** Throws an error that names the fault of a state or an event. */
export function check(condition: boolean, message: () => string): void {
  if (!condition) throw new Error(`invariant: ${message()}`)
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, be] = [JSON.stringify(actual), JSON.stringify(expected)]
  check(is === be, () => `${what} is ${is} and should be ${be}`)
}
