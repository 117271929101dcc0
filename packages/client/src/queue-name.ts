/** Why a value cannot be a queue name. */
export function noQueueName(name: unknown, lengthMax?: number): string {
  const atMost = lengthMax === undefined ? '' : `, at most ${lengthMax}`
  return `${JSON.stringify(name)} is no queue name: it begins with a letter or digit and goes on with letters, digits, . _ : / -${atMost}`
}
