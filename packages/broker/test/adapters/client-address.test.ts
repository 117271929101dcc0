import { once } from 'node:events'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { addressSource } from '../../src/adapters/client-address.ts'
import { createBroker } from '../../src/index.ts'

test.each([
  ['nothing is trusted', [], '127.0.0.1', { 'x-forwarded-for': '9.9.9.9' }, '127.0.0.1'],
  ['the peer is no proxy', ['10.0.0.1'], '8.8.8.8', { 'x-forwarded-for': '9.9.9.9' }, '8.8.8.8'],
  ['the peer is a proxy', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': '9.9.9.9' }, '9.9.9.9'],
  ['the peer is one over IPv6', ['127.0.0.1'], '::ffff:127.0.0.1', { 'x-forwarded-for': '9.9.9.9' }, '9.9.9.9'],
  ['the client claims another', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': '1.1.1.1, 9.9.9.9' }, '9.9.9.9'],
  [
    'there are two proxies',
    ['127.0.0.1', '10.0.0.0/8'],
    '127.0.0.1',
    { 'x-forwarded-for': '9.9.9.9, 10.1.2.3' },
    '9.9.9.9',
  ],
  ['nobody but proxies came', ['127.0.0.1', '10.0.0.0/8'], '127.0.0.1', { 'x-forwarded-for': '10.1.2.3' }, '10.1.2.3'],
  ['the header holds no address', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': 'nonsense' }, '127.0.0.1'],
  ['the header is missing', ['127.0.0.1'], '127.0.0.1', {}, '127.0.0.1'],
  ['there is a port', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': '9.9.9.9:1234' }, '9.9.9.9'],
  [
    'Forwarded says it',
    ['::1'],
    '::1',
    { forwarded: 'for=1.1.1.1, for="[2001:db8::7]:99";proto=https' },
    '2001:db8::7',
  ],
  ['Forwarded hides it', ['::1'], '::1', { forwarded: 'for=_hidden;proto=https' }, '::1'],
  ['both say the same', ['::1'], '::1', { forwarded: 'For=9.9.9.9', 'x-forwarded-for': '9.9.9.9' }, '9.9.9.9'],
  [
    'the client made up one of the two',
    ['::1'],
    '::1',
    { forwarded: 'for=1.1.1.1', 'x-forwarded-for': '9.9.9.9' },
    '::1',
  ],
])('the address of a client where %s', (_, proxies, remoteAddress, headers, address) => {
  expect(addressSource(proxies)({ headers, socket: { remoteAddress } })).toBe(address)
})

test('trusted proxies that are no addresses are refused by name', async () => {
  await expect(createBroker({ trustedProxies: ['proxy.example', '10.0.0.0/33'] })).rejects.toThrow(
    /trustedProxies must be addresses or networks.*proxy\.example[\s\S]*10\.0\.0\.0\/33/,
  )
})

test('a connection is logged with the address that its proxy tells', async () => {
  const lines: { msg: string; address?: string }[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, trustedProxies: ['127.0.0.1'], logger })
  onTestFinished(() => broker.close())
  const socket = new WebSocket(broker.url, 'sluice.v1', { headers: { 'x-forwarded-for': '203.0.113.9' } })
  await once(socket, 'open')
  socket.send('nonsense')
  await once(socket, 'close')
  expect(lines.find(({ msg }) => msg === 'refused a connection')?.address).toBe('203.0.113.9')
})
