/** Addresses that only this machine can reach. */
export const LOOPBACK_ADDRESS = /^(localhost|127(\.\d{1,3}){3}|::1)$/

const LOOPBACK_NAME = /^(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])$/i

/** Whether the name in a Host header (without its port) can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_NAME.test(host.replace(/:\d*$/, ''))
}
