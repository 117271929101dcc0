import type { Child, Launch, Processes } from './child.ts'
import type { BrokerSettings } from './processes/broker.ts'

const brokerProcess = new URL('./processes/broker.ts', import.meta.url)

/** A broker in a process of its own. */
export interface BrokerProcess {
  child: Child
  url: string
  httpUrl: string
}

export async function startBroker(
  processes: Processes,
  settings: BrokerSettings,
  execArgv?: string[],
  launch?: Launch,
): Promise<BrokerProcess> {
  const child = await processes.start(brokerProcess, settings, execArgv, launch)
  const { url, httpUrl } = await child.call<{ url: string; httpUrl: string }>('address')
  return { child, url, httpUrl }
}
