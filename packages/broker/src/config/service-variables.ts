/**
 * Whether Kubernetes set this variable for a service whose name begins with `sluice`. It sets such variables in every
 * pod of the namespace: `SLUICE_SERVICE_HOST`, `SLUICE_PORT_7331_TCP_ADDR`, `SLUICE_PORT=tcp://10.0.0.7:7331`. They are
 * not settings.
 */
export function isServiceVariable(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  )
}
