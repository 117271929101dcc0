import type { Scopes } from './scopes.ts'

/** Who is at the other end, as its token says. */
export interface Principal {
  /** `sub` of its token. */
  readonly id: string
  readonly scopes: Scopes
  /** ms since 1970. A token that was issued before its principal was revoked is refused. */
  readonly issuedAtMs: number
  /** ms since 1970; nothing is done for it from then on. */
  readonly expiresAtMs: number
}

/** Tells who somebody is. Without one a broker asks nobody, and everybody may do everything. */
export interface AccessControl {
  /**
   * @throws AccessError where the token says nothing that counts; any other Error where it could not be looked at, such as
   * keys that could not be fetched
   */
  authenticate(token: string | undefined): Promise<Principal>
}

/** Why a token is not accepted, in words for whoever holds it. */
export class AccessError extends Error {
  override readonly name = 'AccessError'
  readonly code: 'unauthorized' | 'token_expired'

  constructor(message: string, code: AccessError['code'] = 'unauthorized') {
    super(message)
    this.code = code
  }
}
