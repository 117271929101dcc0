/** Fields of a log line in a form that can cross to another thread: errors as data, everything else as JSON. */
export function plainFields(fields: object): object {
  const asData = (_key: string, value: unknown) => {
    if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack }
    return typeof value === 'bigint' ? String(value) : value
  }
  try {
    return JSON.parse(JSON.stringify(fields, asData)) as object
  } catch (error) {
    return { unloggable: String(error) }
  }
}
