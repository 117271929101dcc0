import type { State } from '@sluice/engine'
import { AccessError, type Principal } from './access-control.ts'

/** @throws AccessError if its token was issued before its principal was revoked */
export function assertNotRevoked({ revocations }: State, { id, issuedAtMs }: Principal): void {
  const revokedAtMs = revocations.get(id)
  // A token states whole seconds.
  if (revokedAtMs !== undefined && issuedAtMs <= revokedAtMs)
    throw new AccessError('The access of this principal has been revoked: ask for a new token.')
}
