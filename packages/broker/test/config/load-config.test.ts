import { DEFAULT_CONFIG, engineConfig } from '@sluice/engine'
import { DEFAULT_LIMITS } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { nodeMemory } from '../../src/adapters/node-memory.ts'
import { ConfigError, type ConfigSources, loadConfig } from '../../src/config/load-config.ts'
import { environmentNameOf, flagOf, SETTING_NAMES, SETTINGS, type SettingName } from '../../src/config/settings.ts'
import { DEFAULT_QUOTAS } from '../../src/core/access/quotas.ts'
import { DEFAULT_HOST_CONFIG } from '../../src/core/host-config.ts'
import { memoryBounds } from '../../src/core/memory-bounds.ts'

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources)
  } catch (caught) {
    if (caught instanceof ConfigError) return caught.problems
    throw caught
  }
  return []
}

test('without any setting the documented defaults hold', () => {
  expect(loadConfig({})).toEqual({
    host: '127.0.0.1',
    port: 7331,
    dataFile: '.sluice/broker.db',
    durability: 'strict',
    logLevel: 'info',
    allowedOrigins: [],
    trustedProxies: [],
    quotas: DEFAULT_QUOTAS,
    engine: { ...DEFAULT_CONFIG, ...memoryBounds(nodeMemory()) },
    hosting: { ...DEFAULT_HOST_CONFIG, limits: DEFAULT_LIMITS },
  })
})

test('[QUEUE-6] the bounds over all queues fit into the memory that there is, and are no figure that always holds', () => {
  const GIB = 1024 ** 3
  const small = memoryBounds({ heapBytes: GIB / 2, totalBytes: GIB })
  const large = memoryBounds({ heapBytes: 4 * GIB, totalBytes: 16 * GIB })
  expect(small).toEqual({ tasksMax: 357_913, bytesMax: GIB / 2, historyBytesMax: 80_530_636 })
  expect(large.tasksMax).toBeGreaterThan(2_800_000)
  const { heapBytes } = nodeMemory()
  expect(loadConfig({}).engine.historyBytesMax).toBeLessThan(heapBytes / 4)
})

test('flags win over the environment, the environment over the file, the file over defaults', () => {
  const file = {
    name: 'sluice.config.json',
    content: { port: 1000, durability: 'relaxed', queueTasksMax: 7, heartbeatMs: 9 },
  }
  const environment = { SLUICE_PORT: '2000', SLUICE_QUEUE_TASKS_MAX: '8', PATH: 'ignored' }
  const config = loadConfig({ file, environment, flags: { port: '3000', host: undefined } })
  expect(config.port).toBe(3000)
  expect(config.engine.queueTasksMax).toBe(8)
  expect(config.durability).toBe('relaxed')
  expect(config.hosting.heartbeatMs).toBe(9)
  expect(loadConfig({ file, environment }).port).toBe(2000)
  expect(loadConfig({ file }).port).toBe(1000)
})

test('the default of every setting is a value that it allows', () => {
  for (const name of SETTING_NAMES) {
    expect(problemsOf({ file: { name: 'f', content: { [name]: SETTINGS[name].default } } })).toEqual([])
  }
})

/** Any text may be right for these. */
const FREE: readonly SettingName[] = ['tokenKeysFile', 'tokenIssuer', 'tokenAudience', 'tlsCert', 'tlsKey']

test.each(FREE)('%s is a text', (name) => {
  expect(problemsOf({ file: { name: 'my.json', content: { [name]: 7 } } })).toEqual([
    `${name} in my.json must be ${SETTINGS[name].allowed}, not 7`,
  ])
})

test.each(SETTING_NAMES.filter((name) => !FREE.includes(name)))(
  'a bad %s stops the start with its name and what it may be, from each source',
  (name) => {
    const bad = name === 'dataFile' ? '' : 'nonsense!'
    const allowed = SETTINGS[name].allowed
    const shown = name === 'tokenSecret' ? 'the one given' : JSON.stringify(bad)
    expect(problemsOf({ flags: { [name]: bad } })).toEqual([`${flagOf(name)} must be ${allowed}, not ${shown}`])
    expect(problemsOf({ environment: { [environmentNameOf(name)]: bad } })).toEqual([
      `${environmentNameOf(name)} must be ${allowed}, not ${shown}`,
    ])
    expect(problemsOf({ file: { name: 'my.json', content: { [name]: bad } } })).toEqual([
      `${name} in my.json must be ${allowed}, not ${shown}`,
    ])
  },
)

test.each(['0.0.0.0', '192.168.1.4', '::', 'example.com'])('the address %s needs access control', (host) => {
  expect(problemsOf({ flags: { host } })[0]).toMatch(/can be reached by others.*tokenSecret.*127\.0\.0\.1/)
  for (const flags of [
    { tokenSecret: 'x'.repeat(32) },
    { tokenKeysFile: 'keys.json' },
    { tokenJwksUrl: 'https://id.example/keys' },
  ])
    expect(loadConfig({ flags: { host, ...flags } }).host).toBe(host)
})

test('settings of access control are taken together, and contradict each other in words', () => {
  const flags = {
    tokenSecret: 'x'.repeat(32),
    tokenIssuer: 'me',
    allowedOrigins: 'https://a.example, https://b.example',
    allowedHosts: 'queue.example',
    trustedProxies: '127.0.0.1, 10.0.0.0/8',
    tlsCert: 'c.pem',
    tlsKey: 'k.pem',
  }
  expect(loadConfig({ flags })).toMatchObject({
    access: { secret: 'x'.repeat(32), issuer: 'me' },
    allowedOrigins: ['https://a.example', 'https://b.example'],
    allowedHosts: ['queue.example'],
    trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
    tls: { cert: 'c.pem', key: 'k.pem' },
  })
  expect(problemsOf({ flags: { tokenKeysFile: 'k', tokenJwksUrl: 'https://id.example', tlsCert: 'c.pem' } })).toEqual([
    'tokenKeysFile and tokenJwksUrl cannot be set together: take one',
    'tlsCert and tlsKey belong together: set both',
  ])
})

test.each(['localhost', '127.0.0.1', '127.8.0.1', '::1'])('the address %s is allowed', (host) => {
  expect(loadConfig({ flags: { host } }).host).toBe(host)
})

test.each([
  ['port', '-1'],
  ['port', '65536'],
  ['port', '73.31'],
  ['port', ''],
  ['queueTasksMax', '0'],
  ['defaultPriority', '10'],
  ['depthMax', '1e3'],
])('--%s %s is out of bounds', (name, text) => {
  expect(problemsOf({ flags: { [name]: text } })).toHaveLength(1)
})

test('a number in the file may not be text, and text may not be a number', () => {
  const content = { port: '7331', dataFile: 5 }
  expect(problemsOf({ file: { name: 'f', content } })).toEqual([
    'port in f must be a whole number from 0 to 65535, not "7331"',
    'dataFile in f must be a path, not 5',
  ])
})

test('an unknown setting is named, with the one that was probably meant', () => {
  const [inFile] = problemsOf({ file: { name: 'f', content: { queueTaskMax: 5 } } })
  expect(inFile).toMatch(/^queueTaskMax in f is no setting; did you mean queueTasksMax\? Settings: host, port, /)
  const [inEnvironment] = problemsOf({ environment: { SLUICE_PROT: '1' } })
  expect(inEnvironment).toMatch(/^SLUICE_PROT is no setting; did you mean SLUICE_PORT\?/)
  const [strange] = problemsOf({ file: { name: 'f', content: { somethingElseAltogether: 5 } } })
  expect(strange).toMatch(/^somethingElseAltogether in f is no setting\. Settings: host, port, /)
})

test('keys that objects inherit are unknown settings like any other', () => {
  const content = JSON.parse('{"__proto__": {"port": 1}, "constructor": 1}')
  expect(problemsOf({ file: { name: 'f', content } })).toHaveLength(2)
})

test('all problems are reported at once, also those of a source that is overruled', () => {
  const problems = problemsOf({ flags: { port: '1' }, environment: { SLUICE_PORT: 'x', SLUICE_DURABILITY: 'y' } })
  expect(problems).toHaveLength(2)
})

test('bounds that contradict each other are refused', () => {
  expect(problemsOf({ flags: { bodyBytesMax: '1025', frameBytesMax: '2048' } })).toEqual([
    'bodyBytesMax (1025) must be at most half of frameBytesMax (2048): a frame has a header too',
  ])
  const flags = { retryAfterMsMin: '100', retryAfterMsMax: '99', defaultRetryDelayMs: '8', defaultRetryDelayMsMax: '7' }
  expect(problemsOf({ flags })).toEqual([
    'retryAfterMsMin (100) must be at most retryAfterMsMax (99)',
    'defaultRetryDelayMs (8) must be at most defaultRetryDelayMsMax (7)',
  ])
})

test('whatever the smallest and largest numbers are, the engine takes them', () => {
  for (const name of Object.keys(DEFAULT_CONFIG).filter((key) => key !== 'defaults')) {
    const { allowed } = SETTINGS[name as keyof typeof SETTINGS]
    const [min, max] = allowed.match(/\d+/g)!
    // The one pair that has to keep its order.
    const pair = { retryAfterMsMin: 1, retryAfterMsMax: 2_592_000_000 }
    expect(() => engineConfig({ ...pair, [name]: Number(min) })).not.toThrow()
    expect(() => engineConfig({ ...pair, [name]: Number(max) })).not.toThrow()
  }
})

test('a configuration file that is no object is refused', () => {
  expect(problemsOf({ file: { name: 'f', content: [] } })[0]).toMatch(/^f must hold an object/)
})

test('bounds that share a batch of the journal, or a socket, are refused when they do not fit together', () => {
  const half = 16 * 1024 * 1024
  const fitting = { stagedBytesMax: String(half), frameBytesMax: String(half), sendBufferBytesMax: String(2 * half) }
  expect(problemsOf({ flags: fitting })).toEqual([])
  expect(problemsOf({ flags: { ...fitting, stagedBytesMax: String(half + 1) } })).toEqual([
    expect.stringMatching(/^stagedBytesMax \(16777217\) and frameBytesMax \(16777216\) must be at most 33554432 bytes/),
  ])
  expect(problemsOf({ flags: { ...fitting, sendBufferBytesMax: String(2 * half - 1) } })).toEqual([
    expect.stringMatching(/^frameBytesMax \(16777216\) must be at most half of sendBufferBytesMax \(33554431\)/),
  ])
})

test('what Kubernetes sets for a service named sluice, or sluice-broker, stops no start', () => {
  const environment = Object.fromEntries(
    ['SLUICE', 'SLUICE_BROKER'].flatMap((service) => [
      [`${service}_SERVICE_HOST`, '10.0.0.7'],
      [`${service}_SERVICE_PORT`, '7331'],
      [`${service}_SERVICE_PORT_HTTP`, '7331'],
      [`${service}_PORT`, 'tcp://10.0.0.7:7331'],
      [`${service}_PORT_7331_TCP`, 'tcp://10.0.0.7:7331'],
      [`${service}_PORT_7331_TCP_PROTO`, 'tcp'],
      [`${service}_PORT_7331_TCP_PORT`, '7331'],
      [`${service}_PORT_7331_TCP_ADDR`, '10.0.0.7'],
    ]),
  )
  expect(loadConfig({ environment }).port).toBe(7331)
  expect(problemsOf({ environment: { SLUICE_PORT: 'http://10.0.0.7' } })).toHaveLength(1)
  expect(problemsOf({ environment: { SLUICE_SERVICE: '1' } })).toHaveLength(1)
})
