import { createPublicKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
  type ProtectedHeaderParameters,
  SignJWT,
} from 'jose'
import { type AccessControl, AccessError, type Principal } from '../core/access/access-control.ts'
import { scopesOf } from '../core/access/scopes.ts'
import { SECRET_BYTES_MIN } from './secret.ts'

/** Where the keys that verify tokens are. Exactly one of the three is set. */
export interface TokenSettings {
  /** A shared secret of 32 bytes or more. Tokens are signed with HS256. */
  secret?: string
  /**
   * A file with a JWKS (`{"keys": […]}`) or one public key in PEM, for EdDSA, ES256 or RS256. It is read again when it
   * changes.
   */
  keysFile?: string
  /**
   * The address of a JWKS. It is fetched when first needed, every 10 minutes, and for an unknown key at most every 30
   * s.
   */
  jwksUrl?: string
  /** The required `iss`. Default: anything. */
  issuer?: string
  /** What `aud` must contain. Default: anything. */
  audience?: string
}

const SECRET_ALGORITHM = 'HS256'
const PUBLIC_ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'RS256']
/** How far the clocks of issuer and broker may be apart. */
const CLOCK_TOLERANCE_S = 5
const JWKS_CACHE_MS = 600_000
const JWKS_COOLDOWN_MS = 30_000
const JWKS_TIMEOUT_MS = 5000
/** How often the key file is checked for changes. */
const KEYS_FILE_EVERY_MS = 1000
const SUBJECT_LENGTH_MAX = 256

/**
 * Verifies tokens: JWTs (RFC 7519) with `sub`, `iat`, `exp` and `scope`, which is a text of scopes separated by spaces.
 * @throws RangeError if the settings cannot work, for example if the secret is too short or the file holds no key
 */
export function tokenAccess(settings: TokenSettings): AccessControl {
  const { issuer, audience } = settings
  const keys = keySource(settings)
  const options = {
    algorithms: settings.secret === undefined ? PUBLIC_ALGORITHMS : [SECRET_ALGORITHM],
    requiredClaims: ['sub', 'iat', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
  return {
    async authenticate(token) {
      if (token === undefined)
        throw new AccessError('This broker needs a token: say it in hello, or in Authorization: Bearer.')
      try {
        return principalOf(await verified(token, keys, options))
      } catch (thrown) {
        throw accessError(thrown)
      }
    },
  }
}

/** Several keys without a `kid` may match a token. Then one of them must verify it. */
async function verified(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (thrown) {
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw thrown
    for await (const key of thrown) {
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** The principal that a token names, verified or not. */
export function principalOf(payload: JWTPayload): Principal {
  const { sub, iat, exp, scope } = payload
  if (typeof sub !== 'string' || sub === '' || sub.length > SUBJECT_LENGTH_MAX)
    throw new AccessError(`The token needs a sub of 1 to ${SUBJECT_LENGTH_MAX} letters.`)
  if (typeof iat !== 'number' || typeof exp !== 'number') throw new AccessError('The token needs iat and exp.')
  if (scope !== undefined && typeof scope !== 'string')
    throw new AccessError('scope in the token has to be a text, such as "submit:photos.* read:photos.*".')
  return { id: sub, scopes: scopesOf(scope ?? ''), issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 }
}

/**
 * The content of a token for display, not verified.
 * @throws if it is no JWT
 */
export function readToken(token: string): { header: ProtectedHeaderParameters; claims: JWTPayload } {
  return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
}

/**
 * A token signed with a shared secret.
 * @throws RangeError if the secret is too short
 */
export async function signToken(
  secret: string,
  claims: { sub: string; scope: string; iss?: string; aud?: string },
  expiresInMs: number,
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000)
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: SECRET_ALGORITHM, typ: 'JWT' })
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + Math.ceil(expiresInMs / 1000))
    .sign(secretKey(secret))
}

function keySource({ secret, keysFile, jwksUrl }: TokenSettings): JWTVerifyGetKey {
  if (secret !== undefined) {
    const key = secretKey(secret)
    return async () => key as never
  }
  if (keysFile !== undefined) return fileKeys(keysFile)
  if (jwksUrl === undefined) throw new RangeError('access control needs a secret, a keysFile or a jwksUrl')
  return createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: JWKS_CACHE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: JWKS_TIMEOUT_MS,
  })
}

function secretKey(secret: string): Uint8Array {
  const key = new TextEncoder().encode(secret)
  if (key.length < SECRET_BYTES_MIN)
    throw new RangeError(
      `the secret has ${key.length} bytes and needs ${SECRET_BYTES_MIN} or more: openssl rand -base64 48 makes one`,
    )
  return key
}

/** The keys of a file. A changed file is read again. If that fails, the previous keys stay. */
function fileKeys(path: string): JWTVerifyGetKey {
  let { keys, stamp } = readKeys(path)
  let lookedAtMs = Date.now()
  return (header, token) => {
    const nowMs = Date.now()
    if (nowMs - lookedAtMs >= KEYS_FILE_EVERY_MS) {
      lookedAtMs = nowMs
      try {
        if (stampOf(path) !== stamp) ({ keys, stamp } = readKeys(path))
      } catch {
        // The file is probably half written. The next check reads it again.
      }
    }
    return keys(header, token)
  }
}

function readKeys(path: string): { keys: JWTVerifyGetKey; stamp: string } {
  try {
    const stamp = stampOf(path)
    return { keys: createLocalJWKSet(keySetOf(readFileSync(path, 'utf8'))), stamp }
  } catch (thrown) {
    throw new RangeError(`${path} holds no public keys, neither a JWKS nor PEM: ${(thrown as Error).message}`)
  }
}

function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path)
  return `${mtimeMs} ${size} ${ino}`
}

function keySetOf(text: string): JSONWebKeySet {
  if (!text.trimStart().startsWith('-----')) {
    const parsed = JSON.parse(text) as { keys?: unknown }
    if (!Array.isArray(parsed.keys)) throw new SyntaxError('there is no list of keys in it')
    // A private key in this file would be a mistake, and nothing here needs it.
    return { keys: parsed.keys.map(({ d, p, q, dp, dq, qi, ...rest }) => rest).filter(({ kty }) => kty !== 'oct') }
  }
  return { keys: [createPublicKey(text).export({ format: 'jwk' }) as JSONWebKeySet['keys'][number]] }
}

function accessError(thrown: unknown): Error {
  if (thrown instanceof AccessError) return thrown
  if (thrown instanceof errors.JWTExpired)
    return new AccessError('The token has expired: get a new one.', 'token_expired')
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return new AccessError(`The token's claim ${thrown.claim} is missing or not the one that is expected here.`)
  if (thrown instanceof errors.JWKSTimeout || !(thrown instanceof errors.JOSEError)) return thrown as Error
  if (thrown instanceof errors.JWKSNoMatchingKey)
    return new AccessError('The token is signed with a key that is not known here.')
  if (thrown instanceof errors.JOSEAlgNotAllowed)
    return new AccessError('The token is signed with an algorithm that is not accepted here.')
  if (thrown instanceof errors.JWSSignatureVerificationFailed)
    return new AccessError('The signature of the token does not fit the key of this broker.')
  if (thrown.code === 'ERR_JOSE_GENERIC' || thrown.code === 'ERR_JWKS_INVALID') return thrown
  return new AccessError('That is no token: a JWT is needed here.')
}
