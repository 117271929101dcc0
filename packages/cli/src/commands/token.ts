import { styleText } from 'node:util'
import { loadConfig, readConfigFile } from '@sluice/broker/config'
import { Command, Option } from 'commander'
import { exampleHelp } from '../client-command.ts'
import { durationMs, durationText } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { print, printJson } from '../terminal.ts'

const EXPIRES_DEFAULT = '1h'

const SCOPES_HELP = `
A scope is ACTION:QUEUE. QUEUE may end with *. Without it, every queue is meant.
  submit   submit tasks              work    take tasks
  read     see a queue and its tasks cancel  cancel tasks of others
  manage   redrive dead letters      admin   everything

The secret comes from SLUICE_TOKEN_SECRET, or from tokenSecret in
sluice.config.json.`

interface MintFlags {
  sub: string
  scope: string
  expires: string
}

interface JsonFlag {
  json?: boolean
}

/** The settings with which the broker of this folder verifies tokens. */
function accessSettings() {
  const file = readConfigFile(process.env.SLUICE_CONFIG)
  const { access } = loadConfig({ environment: process.env, ...(file === undefined ? {} : { file }) })
  if (access !== undefined) return access
  throw new CommandError(
    'There is nothing to check tokens with. Set SLUICE_TOKEN_SECRET, as the broker has it: export SLUICE_TOKEN_SECRET="$(openssl rand -base64 48)"',
    EXIT.usage,
  )
}

async function mint({ sub, scope, expires }: MintFlags): Promise<void> {
  const { problemsOfScopes, signToken } = await import('@sluice/broker')
  const problems = problemsOfScopes(scope)
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
  const { secret, issuer, audience } = accessSettings()
  if (secret === undefined)
    throw new CommandError(
      'Tokens are minted with a shared secret (SLUICE_TOKEN_SECRET). A broker that has public keys takes tokens that are signed with the private key.',
      EXIT.usage,
    )
  const claims = {
    sub,
    scope,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
  }
  print(await signToken(secret, claims, durationMs('--expires', expires)))
}

/** Shows the content of a token without verifying its signature. */
async function inspect(token: string, flags: JsonFlag): Promise<void> {
  const { readToken } = await import('@sluice/broker')
  const { header, claims } = read(() => readToken(token))
  if (flags.json) {
    printJson({ header, claims })
    return
  }
  const rows: [string, string][] = [
    ['signed', String(header.alg)],
    ['sub', text(claims.sub)],
    ['scope', text(claims.scope)],
    ['issued', instant(claims.iat)],
    ['expires', instant(claims.exp)],
    ...(['iss', 'aud'] as const).flatMap((name): [string, string][] =>
      claims[name] === undefined ? [] : [[name, text(claims[name])]],
    ),
  ]
  for (const [name, value] of rows) print(`${styleText('dim', name.padEnd(8))} ${value}`)
  print(styleText('dim', 'The signature was not checked: sluice token verify does that'))
}

async function verify(token: string, flags: JsonFlag): Promise<void> {
  const { tokenAccess } = await import('@sluice/broker')
  const principal = await tokenAccess(accessSettings())
    .authenticate(token)
    .catch((caught: Error) => {
      throw new CommandError(caught.message, EXIT.failed)
    })
  const { id, expiresAtMs } = principal
  if (flags.json) printJson({ sub: id, expiresInMs: expiresAtMs - Date.now() })
  else print(`${styleText('green', 'good')} ${JSON.stringify(id)}, for ${durationText(expiresAtMs - Date.now())} more`)
}

function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch {
    throw new CommandError('That is no token: a JWT has three parts with dots between them', EXIT.usage)
  }
}

function text(claim: unknown): string {
  return claim === undefined ? styleText('yellow', 'missing') : (JSON.stringify(claim) ?? '')
}

function instant(seconds: unknown): string {
  if (typeof seconds !== 'number') return text(seconds)
  const ms = seconds * 1000 - Date.now()
  const distance = ms < 0 ? `${durationText(-ms)} ago` : `in ${durationText(ms)}`
  return `${new Date(seconds * 1000).toISOString()} (${distance})`
}

export function tokenCommand(): Command {
  const command = new Command('token').description('mint and look at the tokens of a broker with access control')
  command
    .command('mint')
    .description('print a token, signed with the secret of the broker')
    .addOption(new Option('--sub <name>', 'who it is for: the principal').makeOptionMandatory())
    .addOption(new Option('--scope <scopes>', 'what it allows, with spaces between scopes').makeOptionMandatory())
    .addOption(new Option('--expires <duration>', 'how long it is good for').default(EXPIRES_DEFAULT))
    .addHelpText('after', SCOPES_HELP)
    .addHelpText(
      'after',
      exampleHelp([
        "sluice token mint --sub ada --scope 'submit:photos.* read:photos.*'",
        'sluice token mint --sub worker-1 --scope work:photos --expires 30d',
        'sluice token mint --sub me --scope admin --expires 10m',
      ]),
    )
    .action(mint)
  command
    .command('inspect')
    .description('show what a token says, without checking it')
    .argument('<token>')
    .option('--json', 'print JSON for programs')
    .addHelpText('after', exampleHelp(['sluice token inspect "$SLUICE_TOKEN"']))
    .action(inspect)
  command
    .command('verify')
    .description('check a token as the broker would')
    .argument('<token>')
    .option('--json', 'print JSON for programs')
    .addHelpText('after', exampleHelp(['sluice token verify "$SLUICE_TOKEN"']))
    .action(verify)
  return command
}
