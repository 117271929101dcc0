const DEFAULT_PORT = 7331

/** The broker: of the parameter `broker`, of the build, or on the host of this page. */
export function brokerUrl(): string {
  const asked = new URLSearchParams(location.search).get('broker')
  if (asked !== null && /^wss?:\/\/\S+$/.test(asked)) return asked
  const built: unknown = import.meta.env.VITE_SLUICE_URL
  if (typeof built === 'string' && built !== '') return built
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.hostname || '127.0.0.1'}:${DEFAULT_PORT}`
}
