import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError, loadConfig, readConfigFile } from '@sluice/broker/config'
import packageJson from '../package.json' with { type: 'json' }
import type { BrokerHttp } from './broker-http.ts'
import { allWorkers, type WorkerRow } from './commands/workers.ts'
import { CommandError } from './exit-code.ts'

/** One result of a check. `text` tells what was found, and what to do if it is not good. */
export interface Finding {
  what: string
  verdict: 'ok' | 'warn' | 'fail'
  text: string
}

interface Health {
  status: string
  durability: string
  version: string
  reason?: string
}

interface QueueLook {
  name: string
  ready: number
  delayed: number
  leased: number
  dead: number
  workers: number
  tasksMax: number
}

const NODE_MIN = [22, 13] as const
const FREE_BYTES_MIN = 1024 ** 3
const FULL_SHARE = 0.9
const HANDSHAKE_MS = 5000

const ok = (what: string, text: string): Finding => ({ what, verdict: 'ok', text })
const warn = (what: string, text: string): Finding => ({ what, verdict: 'warn', text })
const fail = (what: string, text: string): Finding => ({ what, verdict: 'fail', text })

/** Checks this machine and the broker, one thing after the other. `answered` tells whether a broker answered. */
export async function diagnose(http: BrokerHttp): Promise<{ findings: Finding[]; answered: boolean }> {
  const findings = [nodeVersion(), await settings()]
  let health: Health
  try {
    health = await http.get<Health>('/healthz', 'status')
  } catch (caught) {
    if (!(caught instanceof CommandError)) throw caught
    return { findings: [...findings, fail('broker', caught.message)], answered: false }
  }
  findings.push(...healthFindings(http, health), await handshake(http))
  const [{ queues }, workers] = await Promise.all([
    http.get<{ queues: QueueLook[] }>('/v1/queues', 'queues'),
    allWorkers(http),
  ])
  return { findings: [...findings, ...workerFindings(workers), ...queueFindings(queues)], answered: true }
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [majorMin, minorMin] = NODE_MIN
  const isRecent = major > majorMin || (major === majorMin && minor >= minorMin)
  if (isRecent) return ok('node', process.version)
  return fail('node', `${process.version}; it has to be ${majorMin}.${minorMin} or later`)
}

/** The settings of a broker that would start here, and the place of its file. */
async function settings(): Promise<Finding> {
  let dataFile: string
  try {
    const file = readConfigFile(process.env.SLUICE_CONFIG)
    dataFile = loadConfig({ environment: process.env, ...(file === undefined ? {} : { file }) }).dataFile
  } catch (caught) {
    if (caught instanceof ConfigError) return fail('settings', caught.problems.join('; '))
    throw caught
  }
  let directory = dirname(resolve(dataFile))
  while ((await stat(directory).catch(() => undefined)) === undefined) directory = dirname(directory)
  try {
    await access(directory, constants.W_OK)
  } catch {
    return warn('settings', `a broker started here could not write ${dataFile}: take another with --data-file`)
  }
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const room = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${dataFile}`
  return free < FREE_BYTES_MIN ? warn('settings', `only ${room}`) : ok('settings', room)
}

function healthFindings(http: BrokerHttp, { status, durability, version, reason }: Health): Finding[] {
  const own = packageJson.version
  return [
    status === 'ready'
      ? ok('broker', `${http.url.webSocket} is ready`)
      : fail('broker', `${http.url.webSocket} is ${status}${reason === undefined ? '' : `: ${reason}`}`),
    version === own
      ? ok('version', own)
      : warn('version', `the broker is ${version}, this command ${own}: use the same on both sides`),
    durability === 'strict'
      ? ok('durability', 'strict')
      : warn('durability', `${durability}: accepted tasks may be lost; start the broker with --durability strict`),
  ]
}

/** Clients and workers connect by WebSocket, which a proxy may block though HTTP works. */
function handshake(http: BrokerHttp): Promise<Finding> {
  const what = 'websocket'
  return new Promise((resolve) => {
    const socket = new WebSocket(http.url.webSocket, 'sluice.v1')
    const end = (finding: Finding) => {
      clearTimeout(overdue)
      socket.close()
      resolve(finding)
    }
    const overdue = setTimeout(
      () => end(fail(what, `no answer to hello within ${HANDSHAKE_MS / 1000} s, though HTTP works: is there a proxy?`)),
      HANDSHAKE_MS,
    )
    socket.onopen = () =>
      socket.send(JSON.stringify([{ type: 'hello', versions: [1], roles: ['producer'], name: 'sluice doctor' }]))
    socket.onmessage = ({ data }) => {
      if (!String(data).includes('"welcome"')) return
      socket.send('[{"type":"bye"}]')
      end(ok(what, 'hello was answered'))
    }
    socket.onclose = ({ code }) =>
      end(fail(what, `the broker closed the connection (${code}), though HTTP works: is there a proxy?`))
  })
}

function workerFindings(workers: readonly WorkerRow[]): Finding[] {
  const away = workers.filter(({ connected }) => !connected)
  if (workers.length === 0) return [warn('workers', 'none. Start one: sluice worker ./tasks.ts')]
  const count = `${workers.length - away.length} connected`
  return [away.length === 0 ? ok('workers', count) : warn('workers', `${count}, ${away.length} away`)]
}

function queueFindings(queues: readonly QueueLook[]): Finding[] {
  const findings = queues.flatMap(({ name, ready, delayed, leased, dead, workers, tasksMax }) => [
    ...(ready > 0 && workers === 0 ? [warn('queue', `no worker takes ${name}, where ${ready} are ready`)] : []),
    ...(ready + delayed + leased >= tasksMax * FULL_SHARE
      ? [warn('queue', `${name} has ${ready + delayed + leased} of ${tasksMax} tasks: it refuses more when it is full`)]
      : []),
    ...(dead > 0 ? [warn('queue', `${dead} dead in ${name}. See why: sluice dead list --queue ${name}`)] : []),
  ])
  return findings.length > 0 ? findings : [ok('queues', String(queues.length))]
}
