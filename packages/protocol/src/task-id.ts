const HYPHEN = 45
/** 1 at the code of each lower-case hexadecimal digit. */
const IS_DIGIT = new Uint8Array(128)
for (const digit of '0123456789abcdef') IS_DIGIT[digit.charCodeAt(0)] = 1

/**
 * Whether `id` is a UUIDv7 (RFC 9562 §5.7) in lower case, the only form of a task id. It uses a table and loops
 * without branches, because it runs for every task that arrives and every one that leaves.
 */
export function isTaskId(id: unknown): id is string {
  if (typeof id !== 'string' || id.length !== 36) return false
  const variant = id.charCodeAt(19)
  return (
    areDigits(id, 0, 8) &&
    id.charCodeAt(8) === HYPHEN &&
    areDigits(id, 9, 13) &&
    id.charCodeAt(13) === HYPHEN &&
    // Version nibble 7.
    id.charCodeAt(14) === 55 &&
    areDigits(id, 15, 18) &&
    id.charCodeAt(18) === HYPHEN &&
    // Variant 8, 9, a or b.
    (variant === 56 || variant === 57 || variant === 97 || variant === 98) &&
    areDigits(id, 20, 23) &&
    id.charCodeAt(23) === HYPHEN &&
    areDigits(id, 24, 36)
  )
}

function areDigits(id: string, from: number, to: number): boolean {
  let all = 1
  // Outside the table, `undefined` makes the conjunction 0.
  for (let i = from; i < to; i++) all &= IS_DIGIT[id.charCodeAt(i)] as number
  return all === 1
}

const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/

/** Whether `name` may name a queue. It does not check the length (`limits.nameLengthMax`). */
export function isQueueName(name: string): boolean {
  return QUEUE_NAME.test(name)
}
