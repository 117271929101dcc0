import { createHmac } from 'node:crypto'
import { signToken } from '@sluice/broker'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function signed(header: object, claims: object, secret: string, hash = 'sha256'): string {
  const content = `${part(header)}.${part(claims)}`
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`
}

/** Tokens that no broker with this secret may take, by what is wrong with them. */
export async function badTokens(secret: string, nowS: number): Promise<Record<string, string>> {
  const claims = { sub: 'honest', scope: 'admin', iat: nowS, exp: nowS + 3600 }
  const [head = '', body = '', signature = ''] = (
    await signToken(secret, { sub: 'stranger', scope: 'submit:attic' }, 3_600_000)
  ).split('.')
  const hs256 = { alg: 'HS256', typ: 'JWT' }
  return {
    'signed with another secret': await signToken(`${secret} or not`, { sub: 'honest', scope: 'admin' }, 3_600_000),
    expired: signed(hs256, { ...claims, iat: nowS - 7200, exp: nowS - 3600 }, secret),
    'not yet good': signed(hs256, { ...claims, nbf: nowS + 3600 }, secret),
    'without an end': signed(hs256, { ...claims, exp: undefined }, secret),
    'without a sub': signed(hs256, { ...claims, sub: undefined }, secret),
    'of alg none': `${part({ alg: 'none' })}.${part(claims)}.`,
    'of alg None, with a signature': `${part({ alg: 'None' })}.${part(claims)}.${signature}`,
    'of HS512': signed({ alg: 'HS512' }, claims, secret, 'sha512'),
    'altered behind its signature': `${head}.${part(claims)}.${signature}`,
    'without its signature': `${head}.${body}.`,
    'signed in part': `${head}.${body}.${signature.slice(0, -4)}`,
    'of an unknown critical header': signed({ ...hs256, crit: ['exp'], exp: 1 }, claims, `${secret} or not`),
    'no token': 'admin',
  }
}
