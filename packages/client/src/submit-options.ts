import {
  ATTEMPTS_MAX,
  DURATION_MS_MAX,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  PRIORITY_MAX,
  type RetryPolicy,
  type SubmitOptions,
} from '@sluice/protocol'
import { badMessage } from './errors.ts'

const DURATIONS = ['delayMs', 'ttlMs', 'timeLimitMs', 'resultTtlMs'] as const
const RETRY_KINDS = ['none', 'fixed', 'exponential'] as const
const JITTERS = ['full', 'none'] as const
const RETRY_DURATIONS = ['delayMs', 'delayMsMax'] as const
const CONTRACT_FIELDS = ['priority', 'leaseMs', ...DURATIONS, 'retry']
/** The options of a call, besides those that are sent. */
const CALL_FIELDS = [...CONTRACT_FIELDS, 'id', 'signal', 'watch', 'onBusy']
const RETRY_FIELDS = ['kind', 'attemptsMax', ...RETRY_DURATIONS, 'jitter']

/**
 * The options of a submission in their wire form. The call's fields win over the contract's.
 * @throws SluiceError `bad_message` naming the field; the broker would refuse the whole message, including the
 * submissions that share it
 */
export function wireOptions(
  contract: SubmitOptions | undefined,
  call: SubmitOptions | undefined,
): SubmitOptions | undefined {
  if (contract === undefined && call === undefined) return undefined
  checkObject('options', contract)
  checkObject('options', call)
  checkFields('options', contract, CONTRACT_FIELDS)
  checkFields('options', call, CALL_FIELDS)
  const options: SubmitOptions = {}
  const priority = call?.priority ?? contract?.priority
  if (priority !== undefined) options.priority = integer('priority', priority, 0, PRIORITY_MAX)
  const leaseMs = call?.leaseMs ?? contract?.leaseMs
  if (leaseMs !== undefined) options.leaseMs = integer('leaseMs', leaseMs, LEASE_MS_MIN, LEASE_MS_MAX)
  for (const name of DURATIONS) {
    const value = call?.[name] ?? contract?.[name]
    if (value !== undefined) options[name] = integer(name, value, 0, DURATION_MS_MAX)
  }
  const retry = call?.retry ?? contract?.retry
  if (retry !== undefined) options.retry = wireRetry(retry)
  return Object.keys(options).length === 0 ? undefined : options
}

function wireRetry(policy: RetryPolicy): RetryPolicy {
  checkObject('options.retry', policy)
  checkFields('options.retry', policy, RETRY_FIELDS)
  const retry: RetryPolicy = { kind: choice('retry.kind', policy.kind, RETRY_KINDS) }
  if (policy.attemptsMax !== undefined) {
    retry.attemptsMax = integer('retry.attemptsMax', policy.attemptsMax, 1, ATTEMPTS_MAX)
  }
  for (const name of RETRY_DURATIONS) {
    const value = policy[name]
    if (value !== undefined) retry[name] = integer(`retry.${name}`, value, 0, DURATION_MS_MAX)
  }
  if (policy.jitter !== undefined) retry.jitter = choice('retry.jitter', policy.jitter, JITTERS)
  return retry
}

function checkObject(path: string, given: unknown): void {
  if (given === undefined || (typeof given === 'object' && given !== null && !Array.isArray(given))) return
  throw badMessage(`${path} has to be an object, not ${Array.isArray(given) ? 'an array' : String(given)}`, path)
}

function checkFields(path: string, given: object | undefined, allowed: readonly string[]): void {
  for (const name in given) {
    if (allowed.includes(name)) continue
    throw badMessage(
      `${path} has no field ${JSON.stringify(name)}: it may have ${allowed.join(', ')}`,
      `${path}.${name}`,
    )
  }
}

function integer(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw badMessage(`${field} has to be a whole number from ${min} to ${max}, not ${String(value)}`, `options.${field}`)
}

/** @throws SluiceError `bad_message` naming the option if its value is not allowed */
export function choice<T>(field: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw badMessage(`${field} has to be one of ${allowed.join(', ')}, not ${String(value)}`, `options.${field}`)
}
