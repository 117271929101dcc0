const HYPHEN = 45

/**
 * Whether `id` is a UUIDv7 (RFC 9562 §5.7) in lower case: the only form of a task id.
 * A loop over character codes: it runs for every task that comes in and every one that goes out.
 */
export function isTaskId(id: unknown): id is string {
  if (typeof id !== 'string' || id.length !== 36) return false
  for (let i = 0; i < 36; i++) {
    const code = id.charCodeAt(i)
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (code !== HYPHEN) return false
    } else if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) {
      return false
    }
  }
  const variant = id.charCodeAt(19)
  // Version nibble 7; variant 8, 9, a or b.
  return id.charCodeAt(14) === 55 && (variant === 56 || variant === 57 || variant === 97 || variant === 98)
}

const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/

/** Whether `name` may name a queue, its length aside (`limits.nameLengthMax`). */
export function isQueueName(name: string): boolean {
  return QUEUE_NAME.test(name)
}
