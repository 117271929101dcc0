import { once } from 'node:events'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { signToken, tokenAccess } from '../../src/access/tokens.ts'
import { createBroker } from '../../src/index.ts'
import { SocketPeer } from '../adapters/socket-peer.ts'

const SECRET = 'a secret of thirty-two bytes or so, or more'
const directories: string[] = []
const closing: (() => void)[] = []

afterEach(() => {
  vi.useRealTimers()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
  for (const close of closing.splice(0)) close()
})

function fileOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
  directories.push(directory)
  const path = join(directory, 'keys.json')
  writeFileSync(path, text)
  return path
}

const claims = { scope: 'submit:photos' }
const nowS = () => Math.floor(Date.now() / 1000)

function jwt(alg: string, key: Parameters<SignJWT['sign']>[0], over: Record<string, unknown> = {}, kid?: string) {
  return new SignJWT({ ...claims, sub: 'ada', iat: nowS(), exp: nowS() + 60, ...over })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .sign(key)
}

describe('a shared secret', () => {
  const access = tokenAccess({ secret: SECRET })

  test('a token says who somebody is, what they may do, and until when', async () => {
    const principal = await access.authenticate(await signToken(SECRET, { sub: 'ada', scope: 'submit:photos' }, 60_000))
    expect(principal.id).toBe('ada')
    expect(principal.scopes.allow('submit', 'photos')).toBe(true)
    expect(principal.expiresAtMs - principal.issuedAtMs).toBe(60_000)
  })

  test('what is no token, or one of others, is refused in words', async () => {
    const other = await signToken(`${SECRET}!`, { sub: 'ada', scope: '' }, 60_000)
    const [head, body] = (await signToken(SECRET, { sub: 'ada', scope: '' }, 60_000)).split('.')
    const forged = Buffer.from(JSON.stringify({ sub: 'eve', iat: nowS(), exp: nowS() + 60, scope: 'admin' })).toString(
      'base64url',
    )
    const unsecured = new UnsecuredJWT({ sub: 'eve', iat: nowS(), exp: nowS() + 60, scope: 'admin' }).encode()
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const asSecret = await jwt('HS256', new TextEncoder().encode(await exportSPKI(publicKey)))
    for (const [token, message] of [
      [undefined, /needs a token/],
      ['', /no token/],
      ['not a token', /no token/],
      ['a.b.c', /no token/],
      [other, /signature/],
      [`${head}.${forged}.${'A'.repeat(43)}`, /signature/],
      [`${head}.${body}.`, /signature/],
      [unsecured, /algorithm/],
      [await jwt('RS256', privateKey), /algorithm/],
      [asSecret, /signature/],
    ] as [string | undefined, RegExp][]) {
      await expect(access.authenticate(token), String(token)).rejects.toThrow(message)
      await expect(access.authenticate(token)).rejects.toMatchObject({ name: 'AccessError', code: 'unauthorized' })
    }
  })

  test('a token that has expired is told apart; a few seconds between clocks do not matter', async () => {
    const key = new TextEncoder().encode(SECRET)
    const late = jwt('HS256', key, { iat: nowS() - 100, exp: nowS() - 60 })
    await expect(access.authenticate(await late)).rejects.toMatchObject({ code: 'token_expired' })
    await expect(access.authenticate(await jwt('HS256', key, { exp: nowS() - 2 }))).resolves.toBeDefined()
    await expect(access.authenticate(await jwt('HS256', key, { nbf: nowS() + 60 }))).rejects.toThrow(/nbf/)
  })

  test('each claim that is missing or odd is named', async () => {
    const key = new TextEncoder().encode(SECRET)
    for (const [over, message] of [
      [{ sub: undefined }, /sub/],
      [{ sub: '' }, /sub/],
      [{ sub: 7 }, /sub/],
      [{ sub: 'x'.repeat(257) }, /sub/],
      [{ iat: undefined }, /iat/],
      [{ exp: undefined }, /exp/],
      [{ exp: 'soon' }, /exp/],
      [{ scope: ['submit'] }, /scope/],
    ] as [Record<string, unknown>, RegExp][])
      await expect(access.authenticate(await jwt('HS256', key, over)), JSON.stringify(over)).rejects.toThrow(message)
  })

  test('issuer and audience are looked at where they are set', async () => {
    const strict = tokenAccess({ secret: SECRET, issuer: 'https://id.example', audience: 'queue' })
    const key = new TextEncoder().encode(SECRET)
    await expect(strict.authenticate(await jwt('HS256', key))).rejects.toThrow(/iss/)
    const iss = { iss: 'https://id.example' }
    await expect(strict.authenticate(await jwt('HS256', key, { ...iss, aud: 'another' }))).rejects.toThrow(/aud/)
    await expect(strict.authenticate(await jwt('HS256', key, { ...iss, aud: ['queue'] }))).resolves.toBeDefined()
  })

  test('a secret that is too short is refused at once', () => {
    expect(() => tokenAccess({ secret: 'short' })).toThrow(/5 bytes and needs 32/)
    expect(() => tokenAccess({})).toThrow(/secret.*keysFile.*jwksUrl/)
  })
})

test('[ACCESS-1] who is refused is gone at once, and so is who does not close its side', {
  timeout: 10_000,
}, async () => {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, access: { secret: SECRET } })
  onTestFinished(() => broker.close())
  const polite = await SocketPeer.greeting(broker.url, { token: 'forged' })
  expect(await polite.closed).toBe(4001)
  const mute = await SocketPeer.greeting(broker.url, { token: 'forged' })
  const { _socket: socket } = mute.socket as unknown as { _socket: Socket }
  // It hears nothing any more, and so does not answer the close.
  socket.removeAllListeners('data')
  await once(socket.resume(), 'close')
})

describe('public keys', () => {
  test.each(['EdDSA', 'ES256', 'RS256'])('%s from a file, as a JWKS and as PEM', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const token = await jwt(alg, privateKey)
    for (const text of [JSON.stringify({ keys: [await exportJWK(publicKey)] }), await exportSPKI(publicKey)]) {
      const access = tokenAccess({ keysFile: fileOf(text) })
      await expect(access.authenticate(token)).resolves.toMatchObject({ id: 'ada' })
      const { privateKey: other } = await generateKeyPair(alg)
      await expect(access.authenticate(await jwt(alg, other))).rejects.toThrow(/signature|key/)
    }
  })

  test('keys without a name are tried one after the other', async () => {
    const pairs = await Promise.all([0, 1].map(() => generateKeyPair('ES256', { extractable: true })))
    const keys = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)))
    const access = tokenAccess({ keysFile: fileOf(JSON.stringify({ keys })) })
    for (const { privateKey } of pairs)
      await expect(access.authenticate(await jwt('ES256', privateKey))).resolves.toMatchObject({ id: 'ada' })
    const { privateKey } = await generateKeyPair('ES256')
    await expect(access.authenticate(await jwt('ES256', privateKey))).rejects.toThrow(/signature/)
  })

  test('a public key in a file never counts as a secret', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true })
    const pem = await exportSPKI(publicKey)
    const access = tokenAccess({ keysFile: fileOf(pem) })
    await expect(access.authenticate(await jwt('HS256', new TextEncoder().encode(pem)))).rejects.toThrow(/algorithm/)
    const secret = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), alg: 'HS256' }
    const symmetric = tokenAccess({ keysFile: fileOf(JSON.stringify({ keys: [secret] })) })
    await expect(symmetric.authenticate(await signToken(SECRET, { sub: 'a', scope: '' }, 1000))).rejects.toThrow()
  })

  test('a file that changes is read again; one that cannot be read then changes nothing', async () => {
    const [one, two] = await Promise.all([0, 1].map(() => generateKeyPair('ES256', { extractable: true })))
    const jwks = async (pair: typeof one) => JSON.stringify({ keys: [await exportJWK(pair!.publicKey)] })
    const path = fileOf(await jwks(one))
    const access = tokenAccess({ keysFile: path })
    const change = (text: string, second: number): void => {
      writeFileSync(path, text)
      utimesSync(path, second, second)
      vi.useFakeTimers({ now: Date.now() + 1500, toFake: ['Date'] })
    }
    change('{"keys": [', 1)
    await expect(access.authenticate(await jwt('ES256', one!.privateKey))).resolves.toBeDefined()
    change(await jwks(two), 2)
    await expect(access.authenticate(await jwt('ES256', two!.privateKey))).resolves.toBeDefined()
    await expect(access.authenticate(await jwt('ES256', one!.privateKey))).rejects.toThrow(/signature/)
  })

  test('a file without keys is refused at once', () => {
    for (const text of ['', '{}', '{"keys":7}', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'])
      expect(() => tokenAccess({ keysFile: fileOf(text) }), text).toThrow(/holds no public keys/)
    expect(() => tokenAccess({ keysFile: join(tmpdir(), 'not there') })).toThrow(/not there/)
  })
})

describe('the address of a JWKS', () => {
  test('keys are fetched once, and again for a name that is not known; what is no answer is no fault of the token', async () => {
    const pairs = await Promise.all([0, 1].map(() => generateKeyPair('ES256', { extractable: true })))
    const keys = await Promise.all(
      pairs.map(async ({ publicKey }, i) => ({ ...(await exportJWK(publicKey)), kid: `k${i}` })),
    )
    let served: unknown[] = keys.slice(0, 1)
    let asked = 0
    let status = 200
    const server = createServer((_, response) => {
      asked += 1
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: served }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const access = tokenAccess({ jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` })
    const tokens = await Promise.all(
      pairs.map(({ privateKey }, i) => jwt('ES256', privateKey, { exp: nowS() + 3600 }, `k${i}`)),
    )
    status = 500
    const failed = access.authenticate(tokens[0])
    await expect(failed).rejects.toThrow()
    await expect(failed).rejects.not.toMatchObject({ name: 'AccessError' })
    status = 200
    for (let i = 0; i < 3; i += 1) await access.authenticate(tokens[0])
    expect(asked).toBe(2)
    served = keys
    // Not right away: who sends names at random must not make it fetch each time.
    await expect(access.authenticate(tokens[1])).rejects.toThrow(/key that is not known/)
    expect(asked).toBe(2)
    vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ['Date'] })
    await expect(access.authenticate(tokens[1])).resolves.toMatchObject({ id: 'ada' })
    await expect(access.authenticate(tokens[0])).resolves.toMatchObject({ id: 'ada' })
    expect(asked).toBe(3)
  })
})
